import type { EngineSession } from '../engines/engine.ts';

/** Adds up the time spent inside engines: loading, compiling, warming up, measuring. What is left is the harness's. */
export class EngineClock {
  #spentNs = 0n;

  get spentNs(): number {
    return Number(this.#spentNs);
  }

  async time<T>(call: () => Promise<T>): Promise<T> {
    const start = process.hrtime.bigint();
    try {
      return await call();
    } finally {
      this.#spentNs += process.hrtime.bigint() - start;
    }
  }

  /** The same session with every call on the clock. */
  watch(session: EngineSession): EngineSession {
    return {
      loaded: session.loaded,
      prepare: (shape) => this.time(() => session.prepare(shape)),
      generate: (request) => this.time(() => session.generate(request)),
      teacherForce: (request) => this.time(() => session.teacherForce(request)),
      close: () => this.time(() => session.close()),
    };
  }
}
