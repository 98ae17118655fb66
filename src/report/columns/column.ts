import { bytesToMiB, nsToMs } from '../../units.ts';
import type { CellRow } from '../model.ts';

/** A cell of a CSV file. Numbers stay numbers, strings are neutralised, null is an empty cell. */
export type CsvValue = string | number | boolean | null;

export interface Column<T> {
  readonly name: string;
  /** For the README's table of columns. */
  readonly description: string;
  readonly value: (row: T) => CsvValue;
}

export const ms = (ns: number | null | undefined): number | null => (ns == null ? null : nsToMs(ns));
export const mib = (bytes: number | null | undefined): number | null =>
  bytes == null ? null : bytesToMiB(bytes);

type HasCell = { readonly cell: CellRow['cell'] };

export const column = <T>(name: string, description: string, value: (row: T) => CsvValue): Column<T> => ({
  name,
  description,
  value,
});

export const model = column<HasCell>('model', 'Name of the model.', (row) => row.cell.model);
export const modelLayers = column<{ readonly modelLayers: string }>(
  'model_layers',
  'Layers of the model; "2 of 32" where it was cut to its first ones.',
  (row) => row.modelLayers,
);
export const engine = column<HasCell>(
  'engine',
  "The sweep's name for the engine or its variant.",
  (row) => row.cell.engine,
);
export const precision = column<HasCell>(
  'precision',
  'Weight precision: fp32, fp16, bf16 or int4.',
  (row) => row.cell.precision,
);
export const device = column<HasCell>('device', 'cpu, cuda or webgpu.', (row) => row.cell.device);
export const batchSize = column<HasCell>(
  'batch_size',
  'Sequences in the batch.',
  (row) => row.cell.batchSize,
);
export const promptLength = column<HasCell>(
  'prompt_length',
  'Tokens of the longest prompt of the batch.',
  (row) => row.cell.promptLength.length,
);
export const promptSpread = column<HasCell>(
  'prompt_spread',
  'Ragged batches: prompts have prompt_length × (1 − spread) to prompt_length tokens; 0 for equal lengths.',
  (row) => row.cell.promptLength.spread,
);
export const generate = column<HasCell>(
  'generate',
  'Tokens generated per sequence.',
  (row) => row.cell.generate,
);

/** The last columns of every file: figures of several runs may stand in one. */
export const runColumns = <T>(runOf: (row: T) => CellRow['run']): readonly Column<T>[] => [
  column(
    'machine',
    'Name of the machine; one for all runs that were made on what looks like it.',
    (row) => runOf(row).machine,
  ),
  column('run_id', 'Name of the run that it was measured in.', (row) => runOf(row).manifest.runId),
];
