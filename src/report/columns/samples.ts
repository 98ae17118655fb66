import { generationThroughput, isWhole, promptThroughput } from '../../stats/rates.ts';
import type { RunSummary, SampleSummary } from '../../stats/run-summary.ts';
import type { CellRow } from '../model.ts';
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

/** One run of one round: what samples.csv has a line for. */
export interface SampleRow {
  readonly sweep: CellRow['run'];
  readonly cell: CellRow['cell'];
  readonly modelLayers: string;
  readonly status: CellRow['status'];
  readonly parity: CellRow['parity'];
  readonly record: SampleSummary;
  readonly used: boolean;
  readonly run: RunSummary;
  readonly runIndex: number;
  /** Null when the run breaks an identity, or has no such phase. */
  readonly promptTokensPerSecond: number | null;
  readonly generationTokensPerSecond: number | null;
}

export function sampleRows(row: CellRow): SampleRow[] {
  const promptTokens = row.preparation?.promptTokens;
  return row.samples.flatMap(({ record, used }) =>
    record.runs.map((run, runIndex) => {
      const sound = promptTokens !== undefined && run.violations.length === 0;
      const work = sound ? { ...row.cell, promptTokens } : null;
      return {
        sweep: row.run,
        cell: row.cell,
        modelLayers: row.modelLayers,
        status: row.status,
        parity: row.parity,
        record,
        used,
        run,
        runIndex,
        promptTokensPerSecond: work && promptThroughput(work, [run]),
        generationTokensPerSecond: work && isWhole(run) ? generationThroughput(work, [run]) : null,
      };
    }),
  );
}

export const SAMPLE_COLUMNS: readonly Column<SampleRow>[] = [
  model,
  engine,
  precision,
  device,
  batchSize,
  promptLength,
  promptSpread,
  generate,
  column(
    'status',
    "The cell's status: only ok and mismatch cells have rates in summary.csv.",
    (row) => row.status,
  ),
  column('round', 'Round, from 0.', (row) => row.record.round),
  column('turn', "Place in the round's random order, from 0.", (row) => row.record.turn),
  column(
    'run',
    'Runs of one round, from 0: short work is repeated; a round counts all its runs together.',
    (row) => row.runIndex,
  ),
  column('used', 'false when a resumed run measured the round again.', (row) => row.used),
  column('kind', 'generation, or prefill for a prefill repeated alone.', (row) =>
    isWhole(row.run) ? 'generation' : 'prefill',
  ),
  column(
    'started_s',
    'Start of the round, seconds since the start of the sweep.',
    (row) => row.record.startedNs / 1e9,
  ),
  column(
    'prefill_ns',
    'Prompt ids in host memory to logits readable by the host.',
    (row) => row.run.prefillNs,
  ),
  column('decode_ns', 'Sum of the decode steps.', (row) => (isWhole(row.run) ? row.run.decodeNs : null)),
  column('decode_steps', 'Decode steps timed: generate − 1.', (row) => row.run.steps),
  column('select_ns', 'Sum of all token selections, timed apart.', (row) => row.run.selectionNs),
  column('wall_ns', 'First to last clock reading of the run.', (row) => row.run.wallNs),
  column('prompt_tokens_per_second', 'Of this run alone.', (row) => row.promptTokensPerSecond),
  column(
    'generation_tokens_per_second',
    'Of this run alone; empty for a prefill.',
    (row) => row.generationTokensPerSecond,
  ),
  column(
    'tokens_returned',
    'Tokens that the engine returned: batch_size × generate.',
    (row) => row.run.tokensReturned,
  ),
  column('recompiles', 'Recompilations while timing: must be 0.', (row) => row.run.recompiles),
  column(
    'tokens_sha256',
    'Digest of the generated ids: one for all runs of a cell.',
    (row) => row.run.tokensSha256,
  ),
  column(
    'other_load_cores',
    'Load of other programs in cores; empty where the system cannot tell.',
    (row) => row.record.otherLoadCores,
  ),
  column(
    'idle_cores',
    'Load of the other engines that were loaded and should have slept, in cores.',
    (row) => row.record.idleCores ?? null,
  ),
  column(
    'harness_cores',
    'Load of ortbench itself beside the engine that was timed, in cores.',
    (row) => row.record.harnessCores ?? null,
  ),
  column(
    'cpu_mhz',
    'Clock of the processor right after the round; empty where the system cannot tell.',
    (row) => row.record.clock?.cpuMHz ?? null,
  ),
  column(
    'gpu_mhz',
    'Clock of the GPU right after the round; empty on the CPU and where the system cannot tell.',
    (row) => row.record.clock?.gpuMHz ?? null,
  ),
  column(
    'parity',
    'match, mismatch or unchecked: whether the engine computes what the reference computes.',
    (row) => row.parity,
  ),
  modelLayers,
  ...runColumns<SampleRow>((row) => row.sweep),
];
