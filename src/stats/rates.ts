import type { Run } from '../schema/record.ts';
import { NS_PER_SECOND } from '../units.ts';
import { mean, median, quantileOfSorted, sorted } from './descriptive.ts';

/**
 * The one module that turns nanoseconds into rates: spec/metrics, "Rates". Over a sample (one round, all its runs) a
 * rate is tokens over seconds of all runs together, so rate × seconds = tokens; over a cell it is the median of rounds.
 */

/** What a run of the cell processes. */
export interface WorkSize {
  readonly batchSize: number;
  /** G, the tokens generated per sequence. */
  readonly generate: number;
  /** Real prompt tokens of the whole batch; padding never counts. */
  readonly promptTokens: number;
}

export interface Rates {
  readonly promptTokensPerSecond: number;
  readonly generationTokensPerSecond: number;
  readonly endToEndTokensPerSecond: number;
  readonly timeToFirstTokenNs: number;
  readonly interTokenP50Ns: number;
  readonly interTokenP90Ns: number;
  readonly interTokenP99Ns: number;
}

const sum = (values: readonly number[]): number => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};

/** A prefill that was repeated alone to fill its time has no steps. */
export const isWhole = (run: Run): boolean => run.stepNs.length > 0;

/** Σ real prompt tokens / prefill seconds. */
export function promptThroughput(work: WorkSize, runs: readonly Run[]): number {
  const ns = sum(runs.map(({ prefillNs }) => prefillNs));
  return (work.promptTokens * runs.length * NS_PER_SECOND) / ns;
}

/** B·(G−1) / Σ decode step seconds, over the runs that decoded. */
export function generationThroughput(work: WorkSize, runs: readonly Run[]): number {
  const whole = runs.filter(isWhole);
  const ns = sum(whole.map(({ stepNs }) => sum(stepNs)));
  return (work.batchSize * (work.generate - 1) * whole.length * NS_PER_SECOND) / ns;
}

/** B·G / (prefill + decode + all selection) seconds, over the runs that decoded. */
export function endToEndThroughput(work: WorkSize, runs: readonly Run[]): number {
  const whole = runs.filter(isWhole);
  const ns = sum(whole.map((run) => run.prefillNs + sum(run.stepNs) + sum(run.selectNs)));
  return (work.batchSize * work.generate * whole.length * NS_PER_SECOND) / ns;
}

/** Prefill and the selection after it; the mean over the runs of a sample. */
export const timeToFirstToken = (runs: readonly Run[]): number =>
  mean(runs.map(({ prefillNs, selectNs }) => prefillNs + selectNs[0]!));

/** All rates of one sample. Its runs must satisfy the identities of stats/identities.ts. */
export function sampleRates(work: WorkSize, runs: readonly Run[]): Rates {
  const steps = sorted(runs.flatMap(({ stepNs }) => stepNs));
  return {
    promptTokensPerSecond: promptThroughput(work, runs),
    generationTokensPerSecond: generationThroughput(work, runs),
    endToEndTokensPerSecond: endToEndThroughput(work, runs),
    timeToFirstTokenNs: timeToFirstToken(runs),
    interTokenP50Ns: quantileOfSorted(steps, 0.5),
    interTokenP90Ns: quantileOfSorted(steps, 0.9),
    interTokenP99Ns: quantileOfSorted(steps, 0.99),
  };
}

/** The median over rounds of each rate; needs at least one round. */
export function cellRates(rounds: readonly Rates[]): Rates {
  const over = (rate: keyof Rates) => median(rounds.map((round) => round[rate]));
  return {
    promptTokensPerSecond: over('promptTokensPerSecond'),
    generationTokensPerSecond: over('generationTokensPerSecond'),
    endToEndTokensPerSecond: over('endToEndTokensPerSecond'),
    timeToFirstTokenNs: over('timeToFirstTokenNs'),
    interTokenP50Ns: over('interTokenP50Ns'),
    interTokenP90Ns: over('interTokenP90Ns'),
    interTokenP99Ns: over('interTokenP99Ns'),
  };
}

/** The rate that a phase is compared by. */
export const PHASE_RATE = {
  prefill: 'promptTokensPerSecond',
  decode: 'generationTokensPerSecond',
} as const satisfies Record<string, keyof Rates>;
