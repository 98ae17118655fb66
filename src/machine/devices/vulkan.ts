import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { packageRoot } from '../../files/package-root.ts';
import type { FoundDevices } from './device.ts';

const run = promisify(execFile);
const PROGRAM = join(packageRoot, 'dist/machine/devices/vulkan-query.js');
const MEND =
  process.platform === 'linux'
    ? "install the GPU's Vulkan driver and libvulkan1; to see whether it works without a GPU, a software driver: " +
      'docs/devices.md'
    : "install the GPU's Vulkan driver";

const answerSchema = z.array(
  z.strictObject({
    name: z.string(),
    driver: z.string(),
    memoryMiB: z.number().nullable(),
    freeMiB: z.number().nullable(),
    software: z.boolean(),
  }),
);

/** The devices of the Vulkan loader, which WebGPU on Linux and llama.cpp's Vulkan build run on. Real ones first. */
export async function vulkanDevices(program: string = PROGRAM): Promise<FoundDevices> {
  let answer: string;
  try {
    ({ stdout: answer } = await run(process.execPath, [program], { timeout: 20_000, windowsHide: true }));
  } catch (error) {
    return { missing: whyNot(String((error as { stderr?: string }).stderr ?? error)), mend: MEND };
  }
  const devices = answerSchema.parse(JSON.parse(answer));
  if (devices.length === 0) return { missing: 'the Vulkan loader finds no device', mend: MEND };
  return { devices: devices.sort((a, b) => Number(a.software) - Number(b.software)) };
}

/** From what the program printed as it ended. */
export function whyNot(stderr: string): string {
  if (/libvulkan|vulkan-1\.dll/.test(stderr)) return 'there is no Vulkan loader (libvulkan)';
  const line = /Error: (.*)/.exec(stderr)?.[1] ?? stderr.trim().split('\n').at(-1) ?? '';
  return `the Vulkan devices cannot be listed: ${line.slice(0, 200)}`;
}
