import { ensurePythonEnvironment } from '../../python/environment.ts';

/** One environment serves every Python engine: the second one to ask finds it made. */
export async function installPython(onProgress: (line: string) => void): Promise<void> {
  await ensurePythonEnvironment(onProgress);
}
