import { setTimeout as sleep } from 'node:timers/promises';
import { threadsOf, threadTimes, usedBetween } from '../machine/threads.ts';

/** A session that stays loaded while others are timed. */
export interface Resident {
  readonly key: string;
  /** Of its runner; null when it lives in the harness's own process. */
  readonly pid: number | null;
}

/** CPU use while one session was timed, in cores: 1.0 is one whole core. Null where the system does not tell. */
export interface Disturbance {
  /** Of all other loaded sessions together. */
  readonly idleCores: number | null;
  /** The one of them that used most; null when none used any. */
  readonly idleSession: string | null;
  /** Of the harness's threads that belong to no engine, its main thread apart. */
  readonly helperCores: number | null;
}

/** Between two looks at sessions that may still be on their way to sleep. */
const SETTLE_STEP_MS = 15;
/** Longest wait for them: worker threads of OpenMP may spin for 200 ms after their last work. */
const SETTLE_MOST_MS = 300;
/** A session that used less than this share of a core since the last look is asleep. */
const ASLEEP_CORES = 0.02;

type Times = ReadonlyMap<number, number>;

/**
 * Tells which of the loaded sessions use the processor although it is another's turn. Threads of the harness's own process
 * belong to the session in whose calls they began: calls never overlap.
 */
export class IdleWatch {
  readonly #harness = new Set(threadsOf(process.pid));
  readonly #owners = new Map<number, string>();

  /** To be called after each call of a session in this process. */
  attribute(key: string): void {
    for (const thread of threadsOf(process.pid)) {
      if (!this.#harness.has(thread) && !this.#owners.has(thread)) this.#owners.set(thread, key);
    }
  }

  /** Waits until sessions whose turn is over sleep, at most a moment: one that never does is seen by `watch`. */
  async settle(idle: readonly Resident[]): Promise<void> {
    if (idle.length === 0) return;
    const began = performance.now();
    let before = this.#read(idle);
    while (before !== null && performance.now() - began < SETTLE_MOST_MS) {
      const started = performance.now();
      await sleep(SETTLE_STEP_MS);
      const after = this.#read(idle);
      if (after === null) return;
      const coreNs = (performance.now() - started) * 1e6;
      const used = idle.map(({ key }) => usedBetween(before!.get(key)!, after.get(key)!));
      if (used.every((ns) => ns < ASLEEP_CORES * coreNs)) return;
      before = after;
    }
  }

  /** Starts to watch; the returned function tells what was used since. */
  watch(idle: readonly Resident[]): () => Disturbance {
    const before = this.#read(idle);
    const ownBefore = threadTimes(process.pid);
    const started = process.hrtime.bigint();
    return () => {
      const after = before && this.#read(idle);
      const ownAfter = threadTimes(process.pid);
      const elapsedNs = Number(process.hrtime.bigint() - started);
      const helperNs =
        ownBefore && ownAfter
          ? usedBetween(ownBefore, ownAfter, (thread) => this.#harness.has(thread) && thread !== process.pid)
          : null;
      const helperCores = helperNs === null ? null : helperNs / elapsedNs;
      if (before === null || after === null) return { idleCores: null, idleSession: null, helperCores };
      const used = idle.map(({ key }) => ({ key, ns: usedBetween(before.get(key)!, after.get(key)!) }));
      const most = used.reduce((a, b) => (b.ns > a.ns ? b : a), { key: '', ns: 0 });
      const idleCores = used.reduce((sum, { ns }) => sum + ns, 0) / elapsedNs;
      return { idleCores, idleSession: most.ns > 0 ? most.key : null, helperCores };
    };
  }

  /** Times of the threads of each session; null when one cannot be told. */
  #read(idle: readonly Resident[]): Map<string, Times> | null {
    const own = threadTimes(process.pid);
    const found = new Map<string, Times>();
    for (const { key, pid } of idle) {
      const times = pid === null ? own && this.#threadsOf(key, own) : threadTimes(pid);
      if (times === null) return null;
      found.set(key, times);
    }
    return found;
  }

  #threadsOf(key: string, own: Times): Times {
    return new Map([...own].filter(([thread]) => this.#owners.get(thread) === key));
  }
}
