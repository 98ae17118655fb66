import type { SpeedupRow } from '../model.ts';
import {
  batchSize,
  type Column,
  column,
  device,
  engine,
  generate,
  model,
  modelLayers,
  precision,
  promptLength,
  promptSpread,
  runColumns,
} from './column.ts';

export const SPEEDUP_COLUMNS: readonly Column<SpeedupRow>[] = [
  model,
  column('phase', 'prefill (prompt throughput) or decode (token generation throughput).', (row) => row.phase),
  engine,
  precision,
  column('baseline_engine', 'What it is divided by.', (row) => row.baseline.engine),
  column(
    'baseline_precision',
    'Its precision; not always that of the engine.',
    (row) => row.baseline.precision,
  ),
  device,
  batchSize,
  promptLength,
  column(
    'speedup',
    "Throughput over the baseline's, from pairs of the same round: exp(Hodges–Lehmann of the log ratios); with fewer than 6 rounds the ratio of medians. Empty where there is none; then reason says why.",
    (row) => row.speedup,
  ),
  column(
    'low',
    'Lower end of the exact signed-rank 95 % interval; empty with fewer than 6 rounds.',
    (row) => row.interval?.[0] ?? null,
  ),
  column('high', 'Upper end of it.', (row) => row.interval?.[1] ?? null),
  column(
    'parity',
    'match when both engines were seen to compute the same; mismatch never has a speedup; else unchecked.',
    (row) => row.parity,
  ),
  column('reason', 'Why there is no speedup.', (row) => row.reason),
  promptSpread,
  generate,
  column('pairs', 'Rounds that both took part in.', (row) => row.logRatios.size),
  modelLayers,
  ...runColumns<SpeedupRow>((row) => row.run),
];
