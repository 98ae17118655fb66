import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { packageRoot } from '../../files/package-root.ts';
import type { Lack } from '../device-check.ts';
import { type OrtDevice, PROVIDERS } from './providers.ts';

const run = promisify(execFile);
const PROGRAM = join(packageRoot, 'dist/engines/onnxruntime/provider-query.js');
const answerSchema = z.strictObject({ refusal: z.string().nullable() });

/** Adds the provider in a process of its own: a device can be there and still be refused, or its libraries be missing. */
export async function refusedProvider(
  libraryPath: string,
  device: OrtDevice,
  options: Readonly<Record<string, string>>,
): Promise<Lack | null> {
  const args = [PROGRAM, libraryPath, device, JSON.stringify(options)];
  const lack = (refusal: string): Lack => ({ reason: shorten(refusal), mend: 'docs/devices.md' });
  try {
    // The provider may print before it: the answer is the last line.
    const { stdout } = await run(process.execPath, args, { timeout: 60_000, windowsHide: true });
    const { refusal } = answerSchema.parse(JSON.parse(stdout.trim().split('\n').at(-1)!));
    return refusal === null ? null : lack(refusal);
  } catch (error) {
    const { signal, stderr } = error as { signal?: string; stderr?: string };
    const said = signal ?? stderr?.trim().split('\n').at(-1) ?? String(error);
    return lack(`${PROVIDERS[device].provider} ends the process that adds it: ${said}`);
  }
}

/** Without the place in ONNX Runtime's source and the condition there, which come before what it means. */
export function shorten(message: string): string {
  return message.replace(/: \/\S+\.(cc|h):\d+ .*? was false\. /s, ': ').replace(/\s+/g, ' ').slice(0, 400);
}
