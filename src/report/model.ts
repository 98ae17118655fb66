import { type Cell, cellKey } from '../schema/cell.ts';
import type { ImportedRecord } from '../schema/imported.ts';
import type { Manifest } from '../schema/manifest.ts';
import type { ParityFigures, ParityRecord, PreparationRecord, SessionRecord } from '../schema/record.ts';
import type { Phase, Precision, Status } from '../schema/vocabulary.ts';
import type { Flag, Round } from '../stats/flags.ts';
import type { HarnessUse, TimeUse } from '../stats/harness.ts';
import type { Rates } from '../stats/rates.ts';
import type { Utilisations } from '../stats/roofline.ts';
import type { SampleSummary, SummarisedRecord } from '../stats/run-summary.ts';
import type { PublishedRow } from './published/model.ts';

/** What the results reader hands over; nothing else is needed to make a report, no engine and no model. */
export interface ReportInput {
  readonly manifest: Manifest;
  readonly records: readonly SummarisedRecord[];
  /** The last attempt ended by a signal, or is not finished. */
  readonly interrupted: boolean;
  /** What the reader had to say about the files, for example a torn last line that it dropped. */
  readonly warnings?: readonly string[];
  /** Reads again the JSON of each record, with all single times; absent where there is no more than `records`. */
  readonly raw?: (visit: (json: string) => void | Promise<void>) => Promise<unknown>;
}

/** What sets one run of a report apart from the others. */
export interface RunPlace {
  /** Name of its machine, the same for all runs that were made on it. */
  readonly machine: string;
  /** "run 2", where several were made on the machine; "import" for other tools' figures. */
  readonly run: string | null;
  /** Machine and run in short; null in a report of one run, which needs no telling apart. */
  readonly label: string | null;
}

/** One run that a report is made of. */
export interface ReportRun extends RunPlace {
  readonly manifest: Manifest;
  readonly interrupted: boolean;
  /** Of all attempts together; null when none came to its end. */
  readonly time: TimeUse | null;
}

export type Interval = readonly [low: number, high: number];
export type Parity = ParityRecord['verdict'];

/** The figures of a cell that may be charted. */
export interface Measured {
  readonly rates: Rates;
  readonly rounds: readonly Round[];
  /** 95 % intervals of the medians; null with fewer than six rounds. */
  readonly intervals: Readonly<Record<Phase, Interval | null>>;
  /** MBU and MFU; null where the machine's roofline or the model's shape is not known, or no weights are loaded. */
  readonly utilisations: Utilisations | null;
}

export interface RecordedSample {
  readonly record: SampleSummary;
  /** False when a later attempt measured the same round again: kept in samples.csv, used nowhere. */
  readonly used: boolean;
}

export interface CellRow {
  readonly run: ReportRun;
  readonly cell: Cell;
  readonly engineTitle: string;
  readonly modelTitle: string;
  /** "32", or "2 of 32" of a model that was cut. */
  readonly modelLayers: string;
  readonly status: Status;
  /** Null only when ok. */
  readonly reason: string | null;
  readonly parity: Parity;
  readonly parityReason: string | null;
  /** Of the check that `parity` stands for; null when unchecked. */
  readonly parityFigures: ParityFigures | null;
  /** What the reference of that check computed with; null when unchecked, or when the run does not say. */
  readonly parityReference: NonNullable<ParityRecord['reference']> | null;
  /** Null unless status is ok or mismatch. */
  readonly measured: Measured | null;
  /** Another tool's figure; its status is `imported` then, and nothing of ours is known of it. */
  readonly imported: ImportedRecord | null;
  readonly samples: readonly RecordedSample[];
  readonly preparation: PreparationRecord | null;
  readonly session: SessionRecord | null;
  /** Median over the loads of the run. */
  readonly loadNs: number | null;
  readonly flags: readonly Flag[];
}

/** One phase of one cell against one baseline. Either `speedup` or `reason` is there. */
/** Tells rows apart, also those of one cell in several runs. */
export const rowKey = ({ run, cell }: { readonly run: ReportRun; readonly cell: Cell }): string =>
  `${run.label ?? ''}\n${cellKey(cell)}`;

export interface SpeedupRow {
  readonly run: ReportRun;
  readonly phase: Phase;
  readonly cell: Cell;
  readonly engineTitle: string;
  readonly modelTitle: string;
  readonly modelLayers: string;
  readonly baseline: { readonly engine: string; readonly title: string; readonly precision: Precision };
  readonly speedup: number | null;
  readonly interval: Interval | null;
  readonly logRatios: ReadonlyMap<number, number>;
  readonly parity: Parity;
  readonly reason: string | null;
}

/** Geometric mean of one engine's speedups over the cells of one model, precision and device. */
export interface AverageRow {
  readonly run: ReportRun;
  readonly phase: Phase;
  readonly model: string;
  readonly modelTitle: string;
  readonly modelLayers: string;
  readonly device: Cell['device'];
  readonly generate: number;
  readonly engine: string;
  readonly engineTitle: string;
  readonly precision: Precision;
  readonly baseline: SpeedupRow['baseline'];
  /** Cells of the sweep that could be compared. */
  readonly cells: number;
  /** Those of them with a speedup. */
  readonly compared: readonly SpeedupRow[];
  /** Null when no cell has a speedup; `reasons` says why. */
  readonly average: number | null;
  readonly interval: Interval | null;
  readonly lowest: SpeedupRow | null;
  readonly highest: SpeedupRow | null;
  readonly parity: Parity;
  /** Why cells have no speedup, each once. */
  readonly reasons: readonly string[];
}

/** A figure of another tool and one of ours that counts the same. Either `ratio` or `reason` is there. */
export interface ImportedRow {
  readonly row: CellRow;
  readonly imported: ImportedRecord;
  /** Of ours; null where no cell has the same work. */
  readonly engine: string | null;
  readonly engineTitle: string | null;
  /** Our own times by the tool's count, in tokens/s: the median over rounds. */
  readonly ours: number | null;
  /** Ours over the tool's: not paired, and without parity. */
  readonly ratio: number | null;
  readonly reason: string | null;
}

/** Everything that renderers print, from records alone. */
export interface Report {
  /** Of the run; of several, what they have together (see gather.ts): facts of a machine are in `runs`. */
  readonly manifest: Manifest;
  /** In the order given. */
  readonly runs: readonly ReportRun[];
  /** In what the runs differ, in sentences; none in a report of one run. */
  readonly unlike: readonly string[];
  readonly imported: readonly ImportedRow[];
  readonly interrupted: boolean;
  readonly warnings: readonly string[];
  /** Every cell of the manifest in its order. */
  readonly rows: readonly CellRow[];
  readonly speedups: readonly SpeedupRow[];
  readonly averages: readonly AverageRow[];
  /** Published figures beside what was measured; empty where the sweep names none. */
  readonly published: readonly PublishedRow[];
  /** What the harness itself used while engines were timed; null where unknown. */
  readonly harness: HarnessUse | null;
  /** Of all attempts together; null when none came to its end. */
  readonly time: TimeUse | null;
}
