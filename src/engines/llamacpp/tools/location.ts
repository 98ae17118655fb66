import { accessSync, constants } from 'node:fs';
import path from 'node:path';

const BATCHED_BENCH = `llama-batched-bench${process.platform === 'win32' ? '.exe' : ''}`;

/** Path of llama-batched-bench in a folder, null where there is none that can be run. */
export function locateBatchedBench(dir: string): string | null {
  const file = path.resolve(dir, BATCHED_BENCH);
  try {
    accessSync(file, constants.X_OK);
    return file;
  } catch {
    return null;
  }
}

/** Beside a library, as a build tree leaves it, or in the `bin` beside its `lib`, as an installation does. */
export const batchedBenchBeside = (libraryDir: string): string | null =>
  locateBatchedBench(libraryDir) ?? locateBatchedBench(path.join(libraryDir, '..', 'bin'));
