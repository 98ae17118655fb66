import { resolve } from 'node:path';
import envPaths from 'env-paths';

/** Everything that can be made again: prepared models, the Python environment, compiled code. Read on every call. */
export function cacheRoot(): string {
  const chosen = process.env.ORTBENCH_CACHE;
  return chosen ? resolve(chosen) : envPaths('ortbench', { suffix: '' }).cache;
}
