import type { Interval } from '../report/model.ts';
import type { Cell } from '../schema/cell.ts';
import type { Phase, Status } from '../schema/vocabulary.ts';

/** What may explain a change of speed: versions, options, settings, kernel. By name, in words. */
export type Facts = Readonly<Record<string, string>>;

/** What its speed depends on and no update changes. Runs of two machines are never in one line. */
export interface Machine {
  /** Eight hexadecimal digits; the same for the same hardware and number of compute threads. */
  readonly id: string;
  readonly title: string;
}

/** One cell of one run, without its raw times. */
export interface RunCell {
  readonly cell: Cell;
  readonly engineTitle: string;
  readonly modelTitle: string;
  /** Parameters, layers and origin: another model under the same name is another line. */
  readonly modelIdentity: string;
  readonly status: Status;
  /** Null only when ok. */
  readonly reason: string | null;
  /** Tokens/s of each round, in order of the rounds; empty unless ok. */
  readonly rates: Readonly<Record<Phase, readonly number[]>>;
  /** Names of the flags it carries, each once. */
  readonly flags: readonly string[];
  readonly facts: Facts;
}

/** One point in time of every line that it has a cell of. */
export interface HistoryRun {
  readonly id: string;
  /** ISO 8601, of its start. */
  readonly at: string;
  readonly folder: string;
  /** The baseline's half of a gate that ran two configs or two ortbenches in turns: the same cells, apart from the candidate's. */
  readonly side: 'baseline' | null;
  readonly machine: Machine;
  /** False when it was made with `--no-parity`: nothing shows then that its engines computed the same. */
  readonly parity: boolean;
  readonly cells: readonly RunCell[];
}

export interface Point {
  /** Index into the runs of the history. */
  readonly run: number;
  /** Median over the rounds in tokens/s; null unless the cell was ok. */
  readonly rate: number | null;
  /** 95 % interval of the median; null with fewer than six rounds. */
  readonly interval: Interval | null;
  readonly status: Status;
  readonly reason: string | null;
  readonly flags: readonly string[];
  readonly facts: Facts;
}

/** Neighbouring points without a change between them. */
export interface Segment {
  /** Indices into the line's points, both included. */
  readonly first: number;
  readonly last: number;
  /** Median of their rates in tokens/s. */
  readonly level: number;
}

export interface FactChange {
  readonly fact: string;
  readonly from: string | null;
  readonly to: string | null;
  /** Runs of the line from the change to where this changed: 0 beside it, −1 one run earlier. */
  readonly offset: number;
}

export interface Change {
  /** Index into the line's points of the first one after it. */
  readonly point: number;
  readonly before: { readonly run: string; readonly at: string };
  readonly after: { readonly run: string; readonly at: string };
  /** Levels in tokens/s. */
  readonly from: number;
  readonly to: number;
  /** to / from: below 1 is slower. */
  readonly ratio: number;
  /** Of the permutation test. */
  readonly p: number;
  readonly beside: readonly FactChange[];
}

/** One phase of one cell on one machine, over time. */
export interface Line {
  readonly machine: string;
  readonly cell: Cell;
  readonly phase: Phase;
  readonly side: 'baseline' | null;
  readonly engineTitle: string;
  readonly modelTitle: string;
  readonly modelIdentity: string;
  readonly points: readonly Point[];
  readonly segments: readonly Segment[];
  readonly changes: readonly Change[];
}

export interface History {
  readonly format: 1;
  /** In order of time. */
  readonly runs: readonly Omit<HistoryRun, 'cells'>[];
  readonly machines: readonly Machine[];
  readonly lines: readonly Line[];
  /** Smallest change that is reported, as a share. */
  readonly least: number;
  readonly warnings: readonly string[];
}
