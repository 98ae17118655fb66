import { join } from 'node:path';
import { packageRoot } from '../../files/package-root.ts';
import type { Lack } from '../device-check.ts';
import { refusalOf } from '../query.ts';
import { type OrtDevice, PROVIDERS } from './providers.ts';

const PROGRAM = join(packageRoot, 'dist/engines/onnxruntime/provider-query.js');

/** Adds the provider in a process of its own: a device can be there and still be refused, or its libraries be missing. */
export async function refusedProvider(
  libraryPath: string,
  device: OrtDevice,
  options: Readonly<Record<string, string>>,
): Promise<Lack | null> {
  const args = [libraryPath, device, JSON.stringify(options)];
  const refusal = await refusalOf(PROGRAM, args, PROVIDERS[device].provider);
  return refusal === null ? null : { reason: shorten(refusal), mend: 'see docs/devices.md' };
}

/** Without the place in ONNX Runtime's source, the condition there and folders, which come before what it means. */
export function shorten(message: string): string {
  return message
    .replace(/: \/\S+\.(cc|h):\d+ .*?( was false\. |\[ONNXRuntimeError\] : \d+ : \w+ : )/s, ': ')
    .replace(/\/\S*\//g, '')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 400);
}
