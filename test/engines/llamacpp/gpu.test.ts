import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Library } from '../../../src/engines/llamacpp/capi/library.ts';
import { deviceMiB, offloadedLayers, openGpu } from '../../../src/engines/llamacpp/gpu.ts';
import { locateGpuLibrary, pickLibrary } from '../../../src/engines/llamacpp/location.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'ortbench-llamacpp-gpu-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));
const touch = (dir: string, ...files: string[]) => {
  mkdirSync(path.join(root, dir), { recursive: true });
  for (const file of files) writeFileSync(path.join(root, dir, file), '');
  return path.join(root, dir);
};

describe('a library with a backend', () => {
  it('has its name in the files of the prebuilt packages', () => {
    const files = ['libllama-common.so', 'libllama.vulkan.v0.5.0.so', 'libggml.vulkan.v0.5.0.so'];
    expect(pickLibrary(files, 'llama')).toBe('libllama.vulkan.v0.5.0.so');
    expect(pickLibrary(files, 'ggml')).toBe('libggml.vulkan.v0.5.0.so');
  });

  it("is the user's folder, which must hold it", () => {
    const vulkan = touch('vulkan', 'libllama.so', 'libggml.so', 'libggml-vulkan.so');
    expect(locateGpuLibrary('webgpu', { libraryDir: vulkan })).toMatchObject({ found: { dir: vulkan } });
    expect(locateGpuLibrary('cuda', { libraryDir: vulkan })).toMatchObject({
      missing: { reason: expect.stringMatching(/no libggml-cuda: it was built without CUDA/) },
    });
    const linkedIn = touch('linked', 'libllama.so');
    expect(locateGpuLibrary('cuda', { libraryDir: linkedIn })).toMatchObject({ found: { dir: linkedIn } });
  });

  it('is otherwise the prebuilt package, named with its backend', () => {
    const resolve = () => {
      throw new Error('not installed');
    };
    const from = { platform: 'linux-x64', resolve };
    expect(locateGpuLibrary('webgpu', {}, from)).toMatchObject({
      missing: {
        reason: 'the optional package @node-llama-cpp/linux-x64-vulkan is not installed',
        mend: expect.stringMatching(/^npm install @node-llama-cpp\/linux-x64-vulkan@/),
      },
    });
    const bins = touch('package/bins/linux-x64-cuda', 'libllama.so', 'libggml.so', 'libggml-cuda.so');
    touch('package/dist', 'index.js');
    const installed = { platform: 'linux-x64', resolve: () => path.join(root, 'package/dist/index.js') };
    expect(locateGpuLibrary('cuda', {}, installed)).toMatchObject({ found: { dir: bins } });
    expect(locateGpuLibrary('cuda', {}, { ...from, platform: 'sunos-sparc' })).toHaveProperty('missing');
  });
});

describe('its device', () => {
  /** Registries with their devices, by type: 0 is a CPU's. */
  function library(registries: Record<string, number[]>): Library {
    const names = Object.keys(registries);
    const devices = names.flatMap((name, i) => registries[name]!.map((type) => ({ registry: i, type })));
    const index = (pointer: bigint) => Number(pointer) - 1;
    const api = {
      ggml_backend_reg_count: () => names.length,
      ggml_backend_reg_get: (i: number) => BigInt(i + 1),
      ggml_backend_reg_name: (registry: bigint) => names[index(registry)],
      ggml_backend_dev_count: () => devices.length,
      ggml_backend_dev_get: (i: number) => BigInt(i + 1),
      ggml_backend_dev_backend_reg: (device: bigint) => BigInt(devices[index(device)]!.registry + 1),
      ggml_backend_dev_type: (device: bigint) => devices[index(device)]!.type,
      ggml_backend_dev_name: (device: bigint) => `D${index(device)}`,
      ggml_backend_dev_description: () => 'a GPU',
      ggml_backend_dev_memory: (_: bigint, free: BigUint64Array) => free.set([12n]),
    };
    return { api } as unknown as Library;
  }

  it('is the first one of the backend', () => {
    const gpu = openGpu(library({ Vulkan: [1, 2], CPU: [0] }), 'webgpu');
    expect([gpu.name, gpu.pointer, gpu.freeBytes()]).toEqual(['D0', 1n, 12]);
  });

  it('is missing with the reason', () => {
    expect(() => openGpu(library({ CPU: [0] }), 'cuda')).toThrow(/no CUDA backend, only CPU/);
    expect(() => openGpu(library({ Vulkan: [], CPU: [0] }), 'webgpu')).toThrow(
      /Vulkan backend finds no device/,
    );
  });

  it('must take every layer', () => {
    expect(offloadedLayers(['x', 'load_tensors: offloaded 3/3 layers to GPU'])).toBe('3 of 3');
    expect(() => offloadedLayers(['load_tensors: offloaded 2/3 layers to GPU'])).toThrow(/only 2 of 3/);
    expect(() => offloadedLayers([])).toThrow(/does not say/);
  });

  it('holds its own buffers and not the host’s', () => {
    const sizes = new Map([
      ['Vulkan0', 10],
      ['Vulkan_Host', 1],
      ['CPU_Mapped', 4],
    ]);
    expect(deviceMiB(sizes, { name: 'Vulkan0' })).toBe(10);
  });
});
