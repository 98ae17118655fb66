import { join } from 'node:path';
import { EngineError } from '../../errors.ts';
import { cacheRoot } from '../../files/cache-root.ts';
import { findPythonEnvironment } from '../../python/environment.ts';
import { runnersDir } from '../../python/locks.ts';
import type { RunnerCommand } from '../engine.ts';

/** All that a runner gets to see of the caller's environment; no token is among them. */
const PASSED_ON = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'TMPDIR', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH'],
  ...['TEMP', 'TMP', 'SYSTEMROOT', 'USERPROFILE', 'LOCALAPPDATA', 'APPDATA', 'PATHEXT', 'COMSPEC'],
  // What torch.compile builds with, and the devices that a user chose.
  ...['CC', 'CXX', 'CUDA_HOME', 'CUDA_PATH', 'CUDA_VISIBLE_DEVICES', 'NVIDIA_VISIBLE_DEVICES'],
];

export function runnerEnvironment(): Record<string, string> {
  const passed = PASSED_ON.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(passed),
    PYTHONPATH: runnersDir,
    // The folder that the user stands in may hold a cuda.py or a test.py: it is no place to import from.
    PYTHONSAFEPATH: '1',
    PYTHONUNBUFFERED: '1',
    // Artefacts are local folders: nothing may be asked of a hub while measuring.
    HF_HUB_OFFLINE: '1',
    TOKENIZERS_PARALLELISM: 'false',
    TORCHINDUCTOR_CACHE_DIR: join(cacheRoot(), 'torchinductor'),
  };
}

/** `python -m MODULE ARGS` in the pinned environment. @throws EngineError('unavailable') where that is not made yet. */
export async function pythonRunnerCommand(module: string, args: readonly string[]): Promise<RunnerCommand> {
  const file = await findPythonEnvironment();
  if (file === null) {
    throw new EngineError('unavailable', 'the Python environment is not made yet: npx ortbench setup');
  }
  return { file, args: ['-m', module, ...args], env: runnerEnvironment() };
}
