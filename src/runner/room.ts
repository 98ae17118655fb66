import { setTimeout as sleep } from 'node:timers/promises';
import { availableMemoryMiB } from '../machine/memory.ts';

/** How long memory of what ended may take to come back before it counts as taken. */
const PATIENCE_MS = 5_000;
const POLL_MS = 100;
/** What a harness may hold more than at first: records and charts of its own, not models. */
const SLACK_MIB = 64;
const SLACK_SHARE = 0.5;

/** Memory of the machine before an engine is loaded, and of this process after one has ended. */
export class Room {
  readonly #freeMiB: () => number;
  readonly #ownMiB: () => number;
  readonly #baselineMiB: number;

  constructor(freeMiB: () => number = availableMemoryMiB, ownMiB: () => number = residentMiB) {
    this.#freeMiB = freeMiB;
    this.#ownMiB = ownMiB;
    this.#baselineMiB = ownMiB();
  }

  /** Waits a little for so much to be free, and tells what is: less where it does not come. */
  async waitFor(neededMiB: number): Promise<number> {
    await until(() => this.#freeMiB() >= neededMiB);
    return this.#freeMiB();
  }

  /**
   * To be called where every engine is closed: waits a little for this process to hold no more than before any was loaded.
   * @returns MiB that an engine in this process did not give back; 0 where memory is back at its baseline.
   */
  async leftOver(): Promise<number> {
    const allowed = this.#baselineMiB + Math.max(SLACK_MIB, this.#baselineMiB * SLACK_SHARE);
    await until(() => this.#ownMiB() <= allowed);
    const own = this.#ownMiB();
    return own <= allowed ? 0 : own - this.#baselineMiB;
  }
}

async function until(reached: () => boolean): Promise<void> {
  for (let waited = 0; waited < PATIENCE_MS && !reached(); waited += POLL_MS) await sleep(POLL_MS);
}

function residentMiB(): number {
  return process.memoryUsage.rss() / 2 ** 20;
}
