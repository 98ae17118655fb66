import type { Cell } from '../schema/cell.ts';
import type { Phase } from '../schema/vocabulary.ts';
import type { Slowdown, Verdict } from './rule.ts';

/** What is compared on one side. */
export interface Variant {
  /** The sweep's name of an engine; null: every engine, matched by name. */
  readonly engine: string | null;
  /** Null: every precision, matched with itself. */
  readonly precision: Cell['precision'] | null;
}

/** One cell on both sides, with what was measured of it. */
export interface CellPair {
  /** Stable over nights: histories of other tools are kept by it. */
  readonly id: string;
  /** The candidate's; the baseline's where the candidate has none. */
  readonly cell: Cell;
  /** Why it cannot be judged though it should be; null when it can. */
  readonly failure: string | null;
  /** Why nothing shows that both sides compute the same; null where that was checked, or no model is loaded. */
  readonly unchecked: string | null;
  /** In what the two sides' weights differ; null when in nothing that is known. */
  readonly otherWeights: string | null;
  /** ln(baseline rate / candidate rate) of each pair: positive is slower. Empty after a failure. */
  readonly logs: Readonly<Record<Phase, readonly number[]>>;
  /** Rates of each side in tokens/s, in order of the pairs or rounds. */
  readonly rates: Readonly<Record<Phase, SideRates>>;
}

export interface SideRates {
  readonly baseline: readonly number[];
  readonly candidate: readonly number[];
}

/** A cell that neither side was meant to run. */
export interface LeftOut {
  readonly id: string;
  readonly reason: string;
}

/** One phase of one cell, judged. */
export interface GateRow {
  readonly id: string;
  readonly cell: Cell;
  readonly phase: Phase;
  readonly verdict: Verdict | 'failed';
  /** In words; what a failure or an annotation prints. */
  readonly reason: string;
  /** Medians in tokens/s; null after a failure. */
  readonly baselineRate: number | null;
  readonly candidateRate: number | null;
  readonly slowdown: Slowdown | null;
  /** Which stage had the last word. */
  readonly stage: 1 | 2 | null;
  /** Pairs that the verdict rests on (rounds of the candidate where sides are not paired). */
  readonly pairs: number;
  /** Holm-adjusted p of "slower than 2 %"; null without a second stage. */
  readonly adjustedP: number | null;
  /** As a factor; null where it cannot be said. */
  readonly smallestFindable: number | null;
}

export type GateVerdict = 'ok' | 'regression' | 'inconclusive' | 'failed';

export interface GateReport {
  readonly format: 1;
  readonly title: string;
  /** `live` pairs give a verdict; `stored` sides are unpaired. */
  readonly mode: 'live' | 'stored';
  readonly baseline: string;
  readonly candidate: string;
  readonly verdict: GateVerdict;
  /** First-stage pairs, and how they were chosen. */
  readonly pairs: number | null;
  readonly pairsReason: string | null;
  /** The largest of the rows' smallest findable slowdowns, as a factor: what might have hidden anywhere. */
  readonly smallestFindable: number | null;
  readonly rows: readonly GateRow[];
  readonly leftOut: readonly LeftOut[];
  /** Why it is not shown that both sides compute the same, `--no-parity` for one; null when it is. Stamped on all formats. */
  readonly parityUnchecked: string | null;
  readonly warnings: readonly string[];
  /** Results folders that all of this was read from. */
  readonly results: readonly string[];
}

/** A report, and what was measured of each cell, by id. */
export interface Compared {
  readonly report: GateReport;
  readonly measured: ReadonlyMap<string, CellPair>;
}
