import type { Phase } from '../schema/vocabulary.ts';
import type { Speedup } from '../stats/speedup.ts';

/** Other processes that keep more than this many cores busy disturb what is measured. */
export const BUSY_CORES = 0.3;

/**
 * `met`: the ratio reaches the bar. `undecided`: it does not, and the interval does. `missed`: neither does. `invalid`:
 * something was compiled while timing. Null where no bar applies.
 */
export type Verdict = 'met' | 'undecided' | 'missed' | 'invalid' | null;

/** One phase of one cell: ortbench's driver of an engine over one of the engine's own tools. */
export interface FidelityRow {
  /** The engine, or the name of the comparison where an engine has several. */
  readonly engine: string;
  readonly tool: string;
  readonly model: string;
  /** A precision, or a weight format that is none. */
  readonly precision: string;
  readonly batchSize: number;
  readonly promptLength: number;
  readonly generate: number;
  readonly phase: Phase;
  /** Throughput of the driver over the tool's: above 1 the driver is faster. */
  readonly ratio: number;
  /** Exact signed-rank 95 % interval over rounds; null with fewer than six rounds. */
  readonly low: number | null;
  readonly high: number | null;
  readonly rounds: number;
  readonly bar: number | null;
  readonly verdict: Verdict;
  /** Medians over rounds, tokens per second. */
  readonly driverRate: number;
  readonly toolRate: number;
  /** Whether both chose the same tokens; null where the tool keeps them to itself. */
  readonly sameTokens: boolean | null;
  /** Cores that other processes kept busy meanwhile, the median over turns. */
  readonly otherLoadCores: number | null;
  /** What a reader must know besides. */
  readonly notes: readonly string[];
}

/** What could not be compared, and why. */
export interface FidelityProblem {
  readonly engine: string;
  readonly tool: string | null;
  readonly model: string;
  readonly precision: string;
  /** Null where it concerns every shape. */
  readonly batchSize: number | null;
  readonly promptLength: number | null;
  readonly reason: string;
  /** False where the tool is not made for the shape: nothing is amiss. */
  readonly failed: boolean;
}

export interface Judged {
  readonly bar: number | null;
  readonly recompiles: number;
  readonly speedup: Speedup;
}

export function judge({ bar, recompiles, speedup: { ratio, interval } }: Judged): Verdict {
  if (recompiles > 0) return 'invalid';
  if (bar === null) return null;
  if (ratio >= bar) return 'met';
  return interval === null || interval[1] >= bar ? 'undecided' : 'missed';
}
