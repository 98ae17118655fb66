import { type Cell, cellKey } from '../schema/cell.ts';
import type { Run, RunRecord, SampleRecord } from '../schema/record.ts';
import { median, quantileOfSorted, sorted } from './descriptive.ts';
import { runViolations } from './identities.ts';
import { decodeNs, selectionNs, stepCount } from './rates.ts';

/**
 * A run without its single steps: what everything after a record's being written or read needs of it. A large run has
 * hundreds of millions of steps, and what holds them all runs out of memory.
 */
export interface RunSummary extends Omit<Run, 'stepNs' | 'selectNs'> {
  readonly steps: number;
  readonly decodeNs: number;
  /** Of all selections together. */
  readonly selectionNs: number;
  /** Null where an engine's own tool tells no selections. */
  readonly firstSelectNs: number | null;
  /** Medians within the run; null where it has no steps, or no selection after the first. */
  readonly medianStepNs: number | null;
  readonly medianLaterSelectNs: number | null;
  /** Of a step and the selection after it together. */
  readonly medianStepWithSelectNs: number | null;
  /** What the single times break (stats/identities.ts), in words. */
  readonly violations: readonly string[];
}

/** Percentiles over the decode steps of all runs of a sample; NaN where there are none. */
export interface StepQuantiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

export interface SampleSummary extends Omit<SampleRecord, 'runs'> {
  readonly runs: readonly RunSummary[];
  readonly stepQuantilesNs: StepQuantiles;
}

/** A record as reports read it. */
export type SummarisedRecord = Exclude<RunRecord, SampleRecord> | SampleSummary;

const NONE: readonly string[] = [];

export function summariseRun(cell: Cell, run: Run): RunSummary {
  const { stepNs, selectNs, ...rest } = run;
  const violations = runViolations(cell, run);
  return {
    ...rest,
    steps: stepCount(run),
    decodeNs: decodeNs(run),
    selectionNs: selectionNs(run),
    firstSelectNs: selectNs[0] ?? null,
    medianStepNs: stepNs.length === 0 ? null : median(stepNs),
    medianLaterSelectNs: selectNs.length < 2 ? null : median(selectNs.slice(1)),
    medianStepWithSelectNs:
      stepNs.length === 0 ? null : median(stepNs.map((ns, i) => ns + (selectNs[i + 1] ?? Number.NaN))),
    violations: violations.length === 0 ? NONE : violations,
  };
}

export function stepQuantiles(runs: readonly Pick<Run, 'stepNs'>[]): StepQuantiles {
  const steps = sorted(runs.length === 1 ? runs[0]!.stepNs : runs.flatMap(({ stepNs }) => stepNs));
  const at = (q: number) => quantileOfSorted(steps, q);
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}

/** Summarises the samples of one file; the cells and digests that many of them repeat are kept once. */
export function sampleSummariser(): (record: SampleRecord) => SampleSummary {
  const cells = new Map<string, Cell>();
  const digests = new Map<string, string>();
  return ({ runs, ...record }) => ({
    ...record,
    cell: once(cells, cellKey(record.cell), record.cell),
    runs: runs.map((run) => {
      const summary = summariseRun(record.cell, run);
      const { tokensSha256 } = summary;
      return tokensSha256 === null
        ? summary
        : { ...summary, tokensSha256: once(digests, tokensSha256, tokensSha256) };
    }),
    stepQuantilesNs: stepQuantiles(runs),
  });
}

function once<T>(known: Map<string, T>, key: string, value: T): T {
  const found = known.get(key);
  if (found !== undefined) return found;
  known.set(key, value);
  return value;
}
