import { EngineError } from '../../errors.ts';
import type { EngineSession } from '../engine.ts';

/** How libraries word a failed allocation when they raise no type of their own for it. */
const OUT_OF_MEMORY =
  /out of memory|can(?:no|')t allocate memory|not enough memory|failed to allocate|bad[_ ]alloc|array buffer allocation failed/i;

/** Whatever came out of an engine as the engine's fault: `oom` only where the library says so. */
export function asEngineFault(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new EngineError(OUT_OF_MEMORY.test(message) ? 'oom' : 'failed', message, { cause: error });
}

async function contained<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw asEngineFault(error);
  }
}

/** A session in the harness's own process whose every failure is the engine's, as it would be from a runner. */
export async function contain(load: () => Promise<EngineSession>): Promise<EngineSession> {
  const session = await contained(load);
  return {
    loaded: session.loaded,
    prepare: (shape) => contained(() => session.prepare(shape)),
    generate: (request) => contained(() => session.generate(request)),
    teacherForce: (request) => contained(() => session.teacherForce(request)),
    close: () => contained(() => session.close()),
  };
}
