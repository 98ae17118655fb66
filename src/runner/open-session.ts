import { join } from 'node:path';
import type { Engine, EngineSession, RunnerCommand } from '../engines/engine.ts';
import { contain } from '../engines/native/contain.ts';
import { packageRoot } from '../files/package-root.ts';
import type { LoadRequest } from '../schema/protocol.ts';
import { ChildSession, type TimeLimits } from './child/session.ts';

export type Isolation = 'in-process' | 'process';

/** What a native engine's runner process gets to see: no tokens, no user's settings beyond what loading needs. */
const PASSED_ON = [
  'PATH',
  'HOME',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'SystemRoot',
  'TMPDIR',
  'TEMP',
  'LANG',
  // Which devices the user chose, and where their drivers are.
  'CUDA_VISIBLE_DEVICES',
  'NVIDIA_VISIBLE_DEVICES',
  'GGML_VK_VISIBLE_DEVICES',
  'VK_DRIVER_FILES',
  'VK_ICD_FILENAMES',
  'XDG_RUNTIME_DIR',
];

/** Loads a model in an engine, in this process or in a runner, until `signal` aborts. @throws EngineError */
export async function openSession(
  engine: Engine,
  request: LoadRequest,
  isolation: Isolation,
  limits: TimeLimits,
  signal?: AbortSignal,
): Promise<EngineSession> {
  const { drive } = engine;
  if (drive.kind === 'runner') return ChildSession.open(await drive.command(), request, limits, signal);
  if (isolation === 'process') return ChildSession.open(hostCommand(engine.meta.id), request, limits, signal);
  return contain(() => drive.load(request));
}

/** Engines driven by a program of their own are always processes; native ones where the sweep or their meta says. */
export function isolationOf(engine: Engine, wanted: Isolation | undefined): Isolation {
  return engine.drive.kind === 'runner' ? 'process' : (wanted ?? engine.meta.isolation);
}

/**
 * V8 compiles hot functions and collects garbage on threads of its own, at any moment: in a runner's first second that took a
 * core from some prefills of 5 ms for 1 to 5 ms, and was all that llama.cpp's short prompts lacked of llama-bench's speed.
 * Without them the same work is done between two calls into the engine.
 */
const NO_THREADS_OF_V8 = '--single-threaded';

function hostCommand(engineId: string): RunnerCommand {
  const env = Object.fromEntries(
    PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
  const host = join(packageRoot, 'dist/engines/native/host.js');
  return { file: process.execPath, args: [NO_THREADS_OF_V8, host, engineId], env };
}
