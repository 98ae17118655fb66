import { PHASES, type Phase } from '../../schema/vocabulary.ts';
import type { CellRow } from '../model.ts';
import {
  batchSize,
  type Column,
  column,
  device,
  engine,
  generate,
  mib,
  model,
  modelLayers,
  ms,
  precision,
  promptLength,
  promptSpread,
  runColumns,
} from './column.ts';

/** As in the columns of rates. */
const COLUMN_PREFIX: Readonly<Record<Phase, string>> = { prefill: 'prompt', decode: 'generation' };

export const SUMMARY_COLUMNS: readonly Column<CellRow>[] = [
  model,
  engine,
  precision,
  device,
  batchSize,
  promptLength,
  generate,
  column(
    'status',
    'ok, or why there is no comparable figure: mismatch, invalid, skipped, unsupported, unavailable, failed, oom, timeout, crashed, killed, protocol-error, interrupted; imported for a figure of another tool (imported.csv).',
    (row) => row.status,
  ),
  column('reason', 'What happened, in words; empty when ok.', (row) => row.reason),
  column(
    'prompt_tokens_per_second',
    'Prompt throughput: real prompt tokens of the batch / prefill time; median of the rounds.',
    (row) => row.measured?.rates.promptTokensPerSecond ?? null,
  ),
  column(
    'generation_tokens_per_second',
    'Token generation throughput: batch_size × (generate − 1) / decode time; median of the rounds.',
    (row) => row.measured?.rates.generationTokensPerSecond ?? null,
  ),
  column('time_to_first_token_ms', 'Prefill and selection of the first token.', (row) =>
    ms(row.measured?.rates.timeToFirstTokenNs),
  ),
  column('inter_token_latency_p50_ms', 'Median time of a decode step.', (row) =>
    ms(row.measured?.rates.interTokenP50Ns),
  ),
  column('inter_token_latency_p99_ms', '99th percentile of decode step times.', (row) =>
    ms(row.measured?.rates.interTokenP99Ns),
  ),
  column(
    'peak_memory_mib',
    "Peak resident memory of the engine's process, from a run of its own; empty where the system cannot tell.",
    (row) => mib(row.preparation?.peakRssBytes),
  ),
  column('load_ms', 'Time to load the model; median over its loads.', (row) => ms(row.loadNs)),
  column('compile_ms', 'Time to compile for this shape; 0 for engines that do not.', (row) =>
    ms(row.preparation?.compileNs),
  ),
  column('repetitions', 'Rounds measured.', (row) => row.samples.filter(({ used }) => used).length),
  column('flags', 'Warnings, apart by semicolons, as name or name:phase.', (row) =>
    row.flags.map(({ name, phase }) => (phase === null ? name : `${name}:${phase}`)).join(';'),
  ),
  promptSpread,
  column(
    'prompt_tokens',
    'Real prompt tokens of the whole batch.',
    (row) => row.preparation?.promptTokens ?? null,
  ),
  column(
    'prompt_tokens_per_second_low',
    'Lower end of the 95 % interval of the median; empty with fewer than 6 rounds.',
    (row) => row.measured?.intervals.prefill?.[0] ?? null,
  ),
  column(
    'prompt_tokens_per_second_high',
    'Upper end of it.',
    (row) => row.measured?.intervals.prefill?.[1] ?? null,
  ),
  column(
    'generation_tokens_per_second_low',
    'Lower end of the 95 % interval of the median; empty with fewer than 6 rounds.',
    (row) => row.measured?.intervals.decode?.[0] ?? null,
  ),
  column(
    'generation_tokens_per_second_high',
    'Upper end of it.',
    (row) => row.measured?.intervals.decode?.[1] ?? null,
  ),
  column(
    'end_to_end_tokens_per_second',
    'batch_size × generate / (prefill + decode + all selection).',
    (row) => row.measured?.rates.endToEndTokensPerSecond ?? null,
  ),
  column('inter_token_latency_p90_ms', '90th percentile of decode step times.', (row) =>
    ms(row.measured?.rates.interTokenP90Ns),
  ),
  column('peak_device_memory_mib', 'Peak memory on the device, where the engine can tell.', (row) =>
    mib(row.preparation?.peakDeviceBytes),
  ),
  ...PHASES.flatMap((phase) => [
    column<CellRow>(
      `${COLUMN_PREFIX[phase]}_mbu`,
      `Model bandwidth utilisation of ${phase}: bytes of weights${phase === 'decode' ? ', keys and values that a step' : ' that a prefill'} must read, over what the machine reads of a working set of this size in the time.`,
      (row) => row.measured?.utilisations?.[phase].mbu ?? null,
    ),
    column<CellRow>(
      `${COLUMN_PREFIX[phase]}_mfu`,
      `Model FLOPs utilisation of ${phase}: operations that it takes, over what the machine's fastest matrix product of a type fit for the precision does in the time.`,
      (row) => row.measured?.utilisations?.[phase].mfu ?? null,
    ),
  ]),
  column(
    'parity',
    'match, mismatch or unchecked: whether the engine computes what the reference computes.',
    (row) => row.parity,
  ),
  column(
    'parity_normalised_error',
    "Logit error over the spread of the reference's logits, at the worst position of the parity check; empty when unchecked.",
    (row) => row.parityFigures?.normalisedError ?? null,
  ),
  column(
    'parity_systematic_error',
    'The part of that error which all positions share: near 0 for rounding.',
    (row) => row.parityFigures?.systematicError ?? null,
  ),
  column(
    'parity_kl_divergence',
    "KL divergence from the reference's distribution in nats, at the worst position.",
    (row) => row.parityFigures?.klDivergence ?? null,
  ),
  column(
    'parity_mean_kl_divergence',
    'Its mean over all positions.',
    (row) => row.parityFigures?.meanKlDivergence ?? null,
  ),
  column(
    'parity_top1_agreement',
    "Share of positions with the reference's greedy choice, where its lead exceeds the error.",
    (row) => row.parityFigures?.top1Agreement ?? null,
  ),
  column(
    'source_sha256',
    "SHA-256 that stands for the source of the weights; empty for engines that load none, as are the next three, and where the run's version did not record it.",
    (row) => row.session?.chain?.source ?? null,
  ),
  column(
    'checkpoint_sha256',
    'Of the canonical checkpoint made of it: cells are compared only where it is the same (the source, across precisions).',
    (row) => row.session?.chain?.checkpoint ?? null,
  ),
  column(
    'artefact_sha256',
    'Of the files that the engine loaded, made from that checkpoint.',
    (row) => row.session?.artefact ?? null,
  ),
  column(
    'reference_checkpoint_sha256',
    'Of the checkpoint that the parity reference computed with; empty when unchecked.',
    (row) => row.parityReference?.checkpoint ?? null,
  ),
  modelLayers,
  ...runColumns<CellRow>((row) => row.run),
];
