import { z } from 'zod';
import { cellSchema } from './cell.ts';
import { effectiveSchema } from './protocol.ts';
import { deviceSchema, precisionSchema, statusSchema } from './vocabulary.ts';

/**
 * The lines of records.jsonl. Each is written once, synced, and never changed. Times are raw nanoseconds; every rate
 * is derived from them by stats/rates.ts. The store adds `crc32` to each line and checks it when reading.
 */

/** One loaded model in one engine: what really ran. */
export const sessionRecordSchema = z.strictObject({
  kind: z.literal('session'),
  engine: z.string(),
  model: z.string(),
  precision: precisionSchema,
  device: deviceSchema,
  /** SHA-256 that stands for the artefact's files and how they were made; null for engines that load none. */
  artefact: z.string().nullable(),
  loadNs: z.number().nonnegative(),
  versions: z.record(z.string(), z.string()),
  effective: effectiveSchema,
});
export type SessionRecord = z.infer<typeof sessionRecordSchema>;

/** One run of the engine: a whole generation, or a prefill alone (then stepNs is empty and selectNs has one entry). */
export const runSchema = z.strictObject({
  prefillNs: z.number(),
  stepNs: z.array(z.number()),
  selectNs: z.array(z.number()),
  wallNs: z.number(),
  recompiles: z.int(),
  tokensReturned: z.int(),
  /** SHA-256 of the generated ids, row by row; null for a prefill alone (its ids are checked before recording). */
  tokensSha256: z.string().nullable(),
});
export type Run = z.infer<typeof runSchema>;

/** A cell's turn in one round: the value of that round is taken over all its runs. */
export const sampleRecordSchema = z.strictObject({
  kind: z.literal('sample'),
  cell: cellSchema,
  round: z.int().min(0),
  /** Position within the round's random order. */
  turn: z.int().min(0),
  /** Since the start of the run, by the harness's monotonic clock: for drift, never for rates. */
  startedNs: z.number().nonnegative(),
  runs: z.array(runSchema).min(1),
  /** Load of other processes while sampling, in cores; null where the system cannot tell. */
  otherLoadCores: z.number().nullable(),
});
export type SampleRecord = z.infer<typeof sampleRecordSchema>;

/** What was learnt of a cell before its rounds. */
export const preparationRecordSchema = z.strictObject({
  kind: z.literal('preparation'),
  cell: cellSchema,
  compileNs: z.number().nonnegative(),
  peakRssBytes: z.number().nonnegative().nullable(),
  peakDeviceBytes: z.number().nonnegative().nullable(),
  /** Decode seconds of the warm-up runs, in order: shows whether warm-up was enough. */
  warmupDecodeNs: z.array(z.number()),
  promptTokens: z.int().min(1),
  promptsSha256: z.string(),
  effective: effectiveSchema,
});
export type PreparationRecord = z.infer<typeof preparationRecordSchema>;

/** Whether a session computes what the reference computes; `unchecked` says why in `reason`. */
export const parityRecordSchema = z.strictObject({
  kind: z.literal('parity'),
  engine: z.string(),
  model: z.string(),
  precision: precisionSchema,
  device: deviceSchema,
  verdict: z.enum(['match', 'mismatch', 'unchecked']),
  reason: z.string().nullable(),
  /** Root mean square of the logit error over that of the reference's spread, worst step. */
  normalisedError: z.number().nullable(),
  tolerance: z.number().nullable(),
  top1Agreement: z.number().nullable(),
  steps: z.int().min(0),
});
export type ParityRecord = z.infer<typeof parityRecordSchema>;

/** The last word on a cell; a cell without one is unfinished, and resumed. */
export const outcomeRecordSchema = z.strictObject({
  kind: z.literal('outcome'),
  cell: cellSchema,
  status: statusSchema,
  /** Why, in words a reader of the report understands; null only when ok. */
  reason: z.string().nullable(),
});
export type OutcomeRecord = z.infer<typeof outcomeRecordSchema>;

/** The end of an attempt: absent when it was killed. */
export const endRecordSchema = z.strictObject({
  kind: z.literal('end'),
  interrupted: z.boolean(),
  wallNs: z.number().nonnegative(),
  /** Time inside engine calls: loading, compiling, warming up, measuring. */
  engineNs: z.number().nonnegative(),
});
export type EndRecord = z.infer<typeof endRecordSchema>;

export const recordSchema = z.discriminatedUnion('kind', [
  sessionRecordSchema,
  preparationRecordSchema,
  parityRecordSchema,
  sampleRecordSchema,
  outcomeRecordSchema,
  endRecordSchema,
]);
export type RunRecord = z.infer<typeof recordSchema>;
