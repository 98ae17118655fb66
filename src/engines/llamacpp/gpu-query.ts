import { EngineError } from '../../errors.ts';
import type { GpuDevice } from './backends.ts';
import { openLibrary } from './capi/library.ts';
import { openGpu } from './gpu.ts';
import { locateGpuLibrary } from './location.ts';

/**
 * `node gpu-query.js DEVICE OPTIONS`: prints as JSON the device that llama.cpp would take, or why it takes none. A program
 * of its own, for a library that is loaded stays, and its backend takes the device.
 */
async function query(device: GpuDevice, options: { libraryDir?: string }) {
  const location = locateGpuLibrary(device, options);
  if ('missing' in location) return { refusal: location.missing.reason };
  try {
    const { description } = openGpu(await openLibrary(location.found), device);
    return { device: description };
  } catch (error) {
    if (error instanceof EngineError) return { refusal: error.message };
    throw error;
  }
}

const [device = '', options = '{}'] = process.argv.slice(2);
const answer = await query(device as GpuDevice, JSON.parse(options) as { libraryDir?: string });
// Backends print to stdout and stderr as they please: the answer is the last line.
process.stdout.write(`\n${JSON.stringify(answer)}\n`);
