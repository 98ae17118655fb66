import type { Run } from '../schema/record.ts';
import type { Phase } from '../schema/vocabulary.ts';
import { NS_PER_SECOND } from '../units.ts';
import { mean, median } from './descriptive.ts';
import type { RunSummary, SampleSummary } from './run-summary.ts';

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

/** Null where a tool told neither single steps nor selections. */
export interface Rates {
  readonly promptTokensPerSecond: number;
  readonly generationTokensPerSecond: number;
  readonly endToEndTokensPerSecond: number | null;
  readonly timeToFirstTokenNs: number | null;
  readonly interTokenP50Ns: number | null;
  readonly interTokenP90Ns: number | null;
  readonly interTokenP99Ns: number | null;
}

const sum = (values: readonly number[]): number => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};

/** With its single steps, or without them. */
type Timed = Run | RunSummary;
type Decoded = Pick<Run, 'stepNs' | 'stepTotal'> | Pick<RunSummary, 'decodeNs' | 'steps'>;

export const stepCount = (run: Decoded): number =>
  'steps' in run ? run.steps : (run.stepTotal?.steps ?? run.stepNs.length);

/** A prefill that was repeated alone to fill its time has no steps. */
export const isWhole = (run: Decoded): boolean => stepCount(run) > 0;

/** Time of all decode steps of a run. */
export const decodeNs = (run: Decoded): number =>
  'decodeNs' in run ? run.decodeNs : (run.stepTotal?.ns ?? sum(run.stepNs));

/** Time of all token selections of a run. */
export const selectionNs = (run: Pick<Run, 'selectNs'> | Pick<RunSummary, 'selectionNs'>): number =>
  'selectionNs' in run ? run.selectionNs : sum(run.selectNs);

const firstSelectNs = (run: Timed): number =>
  'firstSelectNs' in run ? (run.firstSelectNs ?? Number.NaN) : run.selectNs[0]!;

/** Σ real prompt tokens / prefill seconds. */
export function promptThroughput(work: WorkSize, runs: readonly Timed[]): number {
  const ns = sum(runs.map(({ prefillNs }) => prefillNs));
  return (work.promptTokens * runs.length * NS_PER_SECOND) / ns;
}

/** B·(G−1) / Σ decode step seconds, over the runs that decoded. */
export function generationThroughput(work: WorkSize, runs: readonly Timed[]): number {
  const whole = runs.filter(isWhole);
  const ns = sum(whole.map(decodeNs));
  return (work.batchSize * (work.generate - 1) * whole.length * NS_PER_SECOND) / ns;
}

/** B·G / (prefill + decode + all selection) seconds, over the runs that decoded. */
export function endToEndThroughput(work: WorkSize, runs: readonly Timed[]): number {
  const whole = runs.filter(isWhole);
  const ns = sum(whole.map((run) => run.prefillNs + decodeNs(run) + selectionNs(run)));
  return (work.batchSize * work.generate * whole.length * NS_PER_SECOND) / ns;
}

/** Prefill and the selection after it; the mean over the runs of a sample. */
export const timeToFirstToken = (runs: readonly Timed[]): number =>
  mean(runs.map((run) => run.prefillNs + firstSelectNs(run)));

/** All rates of one sample. Its runs must satisfy the identities of stats/identities.ts. */
export function sampleRates(
  work: WorkSize,
  { runs, stepQuantilesNs }: Pick<SampleSummary, 'runs' | 'stepQuantilesNs'>,
): Rates {
  const whenTold = (figure: () => number): number | null =>
    runs.some(({ stepTotal }) => stepTotal !== undefined) ? null : figure();
  return {
    ...throughputs(work, runs),
    endToEndTokensPerSecond: whenTold(() => endToEndThroughput(work, runs)),
    timeToFirstTokenNs: whenTold(() => timeToFirstToken(runs)),
    interTokenP50Ns: whenTold(() => stepQuantilesNs.p50),
    interTokenP90Ns: whenTold(() => stepQuantilesNs.p90),
    interTokenP99Ns: whenTold(() => stepQuantilesNs.p99),
  };
}

/** The rates that engines are compared by, of one round. */
export function throughputs(work: WorkSize, runs: SampleSummary['runs']): Pick<Rates, ComparedRate> {
  return {
    promptTokensPerSecond: promptThroughput(work, runs),
    generationTokensPerSecond: generationThroughput(work, runs),
  };
}

/** Their medians over rounds; needs at least one round. */
export function medianThroughputs(rounds: readonly Pick<Rates, ComparedRate>[]): Pick<Rates, ComparedRate> {
  const over = (rate: ComparedRate) => median(rounds.map((round) => round[rate]));
  return {
    promptTokensPerSecond: over('promptTokensPerSecond'),
    generationTokensPerSecond: over('generationTokensPerSecond'),
  };
}

/** The median over rounds of each rate; needs at least one round. */
export function cellRates(rounds: readonly Rates[]): Rates {
  const whereTold = (rate: keyof Rates) => {
    const told = rounds.flatMap((round) => round[rate] ?? []);
    return told.length < rounds.length ? null : median(told);
  };
  return {
    ...medianThroughputs(rounds),
    endToEndTokensPerSecond: whereTold('endToEndTokensPerSecond'),
    timeToFirstTokenNs: whereTold('timeToFirstTokenNs'),
    interTokenP50Ns: whereTold('interTokenP50Ns'),
    interTokenP90Ns: whereTold('interTokenP90Ns'),
    interTokenP99Ns: whereTold('interTokenP99Ns'),
  };
}

/** The rate that a phase is compared by. */
export const PHASE_RATE = {
  prefill: 'promptTokensPerSecond',
  decode: 'generationTokensPerSecond',
} as const satisfies Record<Phase, keyof Rates>;
export type ComparedRate = (typeof PHASE_RATE)[Phase];

/** B·(G−1) / Σ (decode step + the selection after it) seconds: as loops count that select inside of a step. */
export function generationWithSelectionThroughput(work: WorkSize, runs: readonly Timed[]): number {
  const whole = runs.filter(isWhole);
  const ns = sum(whole.map((run) => decodeNs(run) + selectionNs(run) - firstSelectNs(run)));
  return (work.batchSize * (work.generate - 1) * whole.length * NS_PER_SECOND) / ns;
}

/** B / the median over runs of a run's median (decode step + the selection after it). */
export function medianStepThroughput(
  work: WorkSize,
  runs: readonly Pick<RunSummary, 'medianStepWithSelectNs'>[],
): number {
  const medians = runs.flatMap(({ medianStepWithSelectNs }) => medianStepWithSelectNs ?? []);
  return medians.length === 0 ? Number.NaN : (work.batchSize * NS_PER_SECOND) / median(medians);
}

/** Σ real prompt tokens / (prefill + selection of the first token) seconds: as a generation of one token is timed. */
export function firstTokenThroughput(work: WorkSize, runs: readonly Timed[]): number {
  return (work.promptTokens * NS_PER_SECOND) / timeToFirstToken(runs);
}

/** (Σ real prompt tokens + B·(G−1)) / (prefill + decode) seconds, over the runs that decoded. */
export function bothPhasesThroughput(work: WorkSize, runs: readonly Timed[]): number {
  const whole = runs.filter(isWhole);
  const ns = sum(whole.map((run) => run.prefillNs + decodeNs(run)));
  const tokens = work.promptTokens + work.batchSize * (work.generate - 1);
  return (tokens * whole.length * NS_PER_SECOND) / ns;
}

/** Tokens over one time, in tokens/s: what another tool's figure comes to by its own times. */
export const tokensPerSecond = (tokens: number, ns: number): number => (tokens * NS_PER_SECOND) / ns;
