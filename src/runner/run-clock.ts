import type { EngineSession } from '../engines/engine.ts';
import type { StageTime } from '../schema/record.ts';

/**
 * What a run's time goes to: the time of each stage, and how much of it lies inside engines (loading, compiling, warming
 * up, measuring). What is left is the harness's. Stages nest, and the inner one's time is not the outer's; they follow one
 * another, as everything that is timed does.
 */
export class RunClock {
  readonly #stages = new Map<string, { wallNs: bigint; engineNs: bigint }>();
  readonly #open = ['other'];
  #since = process.hrtime.bigint();

  /** Inside engines, over all stages. */
  get engineNs(): number {
    return this.stages.reduce((sum, { engineNs }) => sum + engineNs, 0);
  }

  /** The longest first. */
  get stages(): StageTime[] {
    this.#charge();
    return [...this.#stages]
      .map(([stage, { wallNs, engineNs }]) => ({
        stage,
        wallNs: Number(wallNs),
        engineNs: Number(engineNs),
      }))
      .sort((a, b) => b.wallNs - a.wallNs);
  }

  /** @param stage in words, as a reader sees it */
  async within<T>(stage: string, work: () => Promise<T>): Promise<T> {
    this.#charge();
    this.#open.push(stage);
    try {
      return await work();
    } finally {
      this.#charge();
      this.#open.pop();
    }
  }

  /** A call into an engine. */
  async engine<T>(call: () => Promise<T>): Promise<T> {
    const start = process.hrtime.bigint();
    try {
      return await call();
    } finally {
      this.#current.engineNs += process.hrtime.bigint() - start;
    }
  }

  /** The same session with every call on the clock. */
  watch(session: EngineSession): EngineSession {
    return {
      loaded: session.loaded,
      prepare: (shape) => this.engine(() => session.prepare(shape)),
      generate: (request) => this.engine(() => session.generate(request)),
      teacherForce: (request) => this.engine(() => session.teacherForce(request)),
      close: () => this.engine(() => session.close()),
    };
  }

  get #current() {
    const stage = this.#open.at(-1)!;
    const times = this.#stages.get(stage) ?? { wallNs: 0n, engineNs: 0n };
    this.#stages.set(stage, times);
    return times;
  }

  #charge(): void {
    const now = process.hrtime.bigint();
    this.#current.wallNs += now - this.#since;
    this.#since = now;
  }
}
