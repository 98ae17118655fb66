import type { AverageRow } from '../model.ts';
import { type Column, column, modelLayers, runColumns } from './column.ts';

export const AVERAGE_COLUMNS: readonly Column<AverageRow>[] = [
  column('model', 'Name of the model.', (row) => row.model),
  column('phase', 'prefill or decode.', (row) => row.phase),
  column('engine', "The sweep's name for the engine or its variant.", (row) => row.engine),
  column('precision', 'Its weight precision.', (row) => row.precision),
  column('baseline_engine', 'What it is divided by.', (row) => row.baseline.engine),
  column('baseline_precision', 'Its precision.', (row) => row.baseline.precision),
  column('device', 'cpu, cuda or webgpu.', (row) => row.device),
  column('generate', 'Tokens generated per sequence.', (row) => row.generate),
  column('cells', 'Cells of the sweep that could be compared.', (row) => row.cells),
  column('compared', 'Those of them with a speedup.', (row) => row.compared.length),
  column('average', 'Geometric mean of their speedups.', (row) => row.average),
  column(
    'low',
    'Lower end of its 95 % interval (t, from per-round means; of a single cell its own); empty with fewer than 6 common rounds.',
    (row) => row.interval?.[0] ?? null,
  ),
  column('high', 'Upper end of it.', (row) => row.interval?.[1] ?? null),
  column('lowest', 'Lowest speedup of a cell.', (row) => row.lowest?.speedup ?? null),
  column('highest', 'Highest speedup of a cell ("up to").', (row) => row.highest?.speedup ?? null),
  column('highest_batch_size', 'Batch size of that cell.', (row) => row.highest?.cell.batchSize ?? null),
  column(
    'highest_prompt_length',
    'Prompt length of that cell.',
    (row) => row.highest?.cell.promptLength.length ?? null,
  ),
  column('parity', 'match, mismatch or unchecked, over the compared cells.', (row) => row.parity),
  modelLayers,
  ...runColumns<AverageRow>((row) => row.run),
];
