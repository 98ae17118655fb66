import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { nvidiaDevices, parseNvidiaSmi } from '../../../src/machine/devices/nvidia.ts';
import { vulkanDevices, whyNot } from '../../../src/machine/devices/vulkan.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ortbench-devices-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true });
});

/** A program called nvidia-smi that is found first. */
async function nvidiaSmi(script: string): Promise<void> {
  const file = join(root, 'nvidia-smi');
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  vi.stubEnv('PATH', `${root}:${process.env.PATH}`);
}

describe("NVIDIA's devices", () => {
  it('are read with driver and memory', () => {
    const csv = 'NVIDIA H200, 580.159.04, 143771, 143000\nNVIDIA GB10, 580.1, [N/A], [N/A]\n\n';
    expect(parseNvidiaSmi(csv)).toEqual([
      {
        name: 'NVIDIA H200',
        driver: 'NVIDIA 580.159.04',
        memoryMiB: 143771,
        freeMiB: 143000,
        software: false,
      },
      { name: 'NVIDIA GB10', driver: 'NVIDIA 580.1', memoryMiB: null, freeMiB: null, software: false },
    ]);
  });

  it('come from nvidia-smi', async () => {
    await nvidiaSmi('echo "NVIDIA H200, 580.1, 1000, 900"');
    expect(await nvidiaDevices()).toMatchObject({ devices: [{ name: 'NVIDIA H200' }] });
  });

  it('are missing without a driver, with a broken one, and without a GPU', async () => {
    vi.stubEnv('PATH', root);
    expect(await nvidiaDevices()).toMatchObject({
      missing: 'no NVIDIA driver: there is no nvidia-smi',
      mend: expect.stringMatching(/driver/),
    });
    vi.unstubAllEnvs();
    await nvidiaSmi('echo "NVIDIA-SMI has failed: no communication with the driver"; exit 9');
    expect(await nvidiaDevices()).toMatchObject({ missing: expect.stringMatching(/no communication/) });
    await nvidiaSmi('true');
    expect(await nvidiaDevices()).toMatchObject({ missing: 'nvidia-smi lists no GPU' });
  });
});

describe("a device's free memory", () => {
  /** As in a new process: what a driver told once is remembered. */
  async function asked(...answers: string[]): Promise<(number | null)[]> {
    vi.resetModules();
    const { freeDeviceMiB } = await import('../../../src/machine/devices/find.ts');
    const seen: (number | null)[] = [];
    for (const answer of answers) {
      await nvidiaSmi(answer);
      seen.push(await freeDeviceMiB('cuda'));
    }
    return seen;
  }

  it('is asked for anew each time, for engines come and go', async () => {
    expect(await asked('echo "GPU, 1, 1000, 900"', 'echo "GPU, 1, 1000, 300"')).toEqual([900, 300]);
  });

  it('is all of it where the driver does not tell, and unknown where there is no device', async () => {
    expect(await asked('echo "GPU, 1, 1000, [N/A]"')).toEqual([1000]);
    expect(await asked('echo "GPU, 1, [N/A], [N/A]"')).toEqual([null]);
    expect(await asked('true')).toEqual([null]);
    const { freeDeviceMiB } = await import('../../../src/machine/devices/find.ts');
    expect(await freeDeviceMiB('cpu')).toBeNull();
  });
});

describe("Vulkan's devices", () => {
  const program = async (source: string) => {
    const file = join(root, 'query.mjs');
    await writeFile(file, source);
    return file;
  };
  const device = (name: string, software: boolean) => ({
    name,
    driver: 'd',
    memoryMiB: null,
    freeMiB: null,
    software,
  });

  it('come from a program of their own, software renderers last', async () => {
    const listed = [device('llvmpipe', true), device('Radeon', false)];
    const file = await program(`console.log(${JSON.stringify(JSON.stringify(listed))})`);
    expect(await vulkanDevices(file)).toEqual({ devices: [listed[1], listed[0]] });
  });

  it('are missing without a loader, a driver or a device, and when the driver dies', async () => {
    const missing = async (source: string) => (await vulkanDevices(await program(source))) as object;
    expect(await missing('console.log("[]")')).toMatchObject({
      missing: 'the Vulkan loader finds no device',
    });
    expect(
      await missing(`throw new Error('Failed to load shared library: libvulkan.so.1: cannot open')`),
    ).toMatchObject({ missing: 'there is no Vulkan loader (libvulkan)' });
    expect(
      await missing(`throw new Error('no Vulkan driver accepts an instance (VkResult -9)')`),
    ).toMatchObject({ missing: expect.stringContaining('VkResult -9') });
    expect(await missing('process.kill(process.pid, "SIGSEGV")')).toHaveProperty('missing');
    expect(whyNot('')).toMatch(/cannot be listed/);
  });
});
