import type { RunEvent } from '../../runner/events.ts';
import { type Cell, cellKey } from '../../schema/cell.ts';
import { generationThroughput, isWhole, promptThroughput } from '../../stats/rates.ts';
import { formatTokensPerSecond } from '../../units.ts';

/** A planned cell with the plan's guess of how long it takes; only the proportions matter here. */
export interface TrackedCell {
  readonly cell: Cell;
  readonly seconds: number;
}

/** Before this much of the work is done, a guess of the time left would only mislead. */
const LEAST_SHARE_FOR_GUESS = 0.02;

/** Follows a run's events: what is done, what goes on, how fast, how long still. Knows nothing of terminals. */
export class Tracker {
  /** All cells of the run, those of earlier attempts included. */
  readonly total: number;
  done: number;
  current = '';
  rate = '';
  readonly #rounds: number;
  readonly #seconds: Map<string, number>;
  readonly #progress = new Map<string, number>();
  readonly #allSeconds: number;
  #doneSeconds = 0;
  readonly #rates = new Map<string, string>();

  constructor(cells: readonly TrackedCell[], rounds: number, alreadyDone: number) {
    this.total = cells.length + alreadyDone;
    this.done = alreadyDone;
    this.#rounds = rounds;
    this.#seconds = new Map(cells.map(({ cell, seconds }) => [cellKey(cell), seconds]));
    this.#allSeconds = cells.reduce((sum, { seconds }) => sum + seconds, 0);
  }

  observe(event: RunEvent): void {
    switch (event.type) {
      case 'loading':
        this.current = `loading ${event.session}`;
        break;
      case 'stage':
        this.current = `${cellKey(event.cell)}  ${event.stage}`;
        break;
      case 'round':
        this.current = `${cellKey(event.cell)}  round ${event.round + 1} of ${event.rounds}`;
        break;
      case 'sample': {
        const key = cellKey(event.cell);
        // Preparing and warming up weigh about as much as one round.
        const before = this.#progress.get(key) ?? 1 / (this.#rounds + 1);
        this.#advance(key, Math.min(1, before + 1 / (this.#rounds + 1)));
        this.rate = describeRates(event);
        this.#rates.set(key, this.rate);
        break;
      }
      case 'outcome':
        this.done++;
        this.#advance(cellKey(event.cell), 1);
        break;
      default:
    }
  }

  /** The rates of the cell's last sample, or nothing when it has none. */
  lastRates(cell: Cell): string {
    return this.#rates.get(cellKey(cell)) ?? '';
  }

  /** Seconds left, from the time so far and the share of the planned work done; null while that is too little to say. */
  secondsLeft(elapsedSeconds: number): number | null {
    const share = this.#doneSeconds / this.#allSeconds;
    return share < LEAST_SHARE_FOR_GUESS ? null : (elapsedSeconds * (1 - share)) / share;
  }

  /** Sums as it goes: adding up ten thousand cells after each of them would take longer than they do. */
  #advance(key: string, progress: number): void {
    this.#doneSeconds += (this.#seconds.get(key) ?? 0) * (progress - (this.#progress.get(key) ?? 0));
    this.#progress.set(key, progress);
  }
}

function describeRates({ cell, runs, promptTokens }: Extract<RunEvent, { type: 'sample' }>): string {
  const work = { batchSize: cell.batchSize, generate: cell.generate, promptTokens };
  const prompt = `prompt ${formatTokensPerSecond(promptThroughput(work, runs))}`;
  if (!runs.some(isWhole)) return prompt;
  return `${prompt}, generation ${formatTokensPerSecond(generationThroughput(work, runs))}`;
}
