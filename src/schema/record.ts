import { z } from 'zod';
import { cellSchema, promptLengthSchema } from './cell.ts';
import { importedRecordSchema } from './imported.ts';
import { effectiveSchema, stepTotalSchema } from './protocol.ts';
import { deviceSchema, precisionSchema, statusSchema } from './vocabulary.ts';

/**
 * The lines of records.jsonl. Each is written once, synced, and never changed. Times are raw nanoseconds; every rate
 * is derived from them by stats/rates.ts. The store adds `crc32` to each line and checks it when reading.
 */

/**
 * Where an artefact's weights come from, by SHA-256: the source as it was given, and the canonical checkpoint that was made
 * of it. Engines of one model and precision compute the same only with one checkpoint.
 */
export const weightChainSchema = z.strictObject({ source: z.string(), checkpoint: z.string() });
export type WeightChain = z.infer<typeof weightChainSchema>;

/** One loaded model in one engine: what really ran. */
export const sessionRecordSchema = z.strictObject({
  kind: z.literal('session'),
  engine: z.string(),
  model: z.string(),
  precision: precisionSchema,
  device: deviceSchema,
  /** SHA-256 that stands for the artefact's files and how they were made; null for engines that load none. */
  artefact: z.string().nullable(),
  /** Null for engines that load none; absent from records of earlier versions. */
  chain: weightChainSchema.nullable().optional(),
  loadNs: z.number().nonnegative(),
  versions: z.record(z.string(), z.string()),
  effective: effectiveSchema,
});
export type SessionRecord = z.infer<typeof sessionRecordSchema>;

/** As z.array(z.number()), several times as fast: a report reads tens of millions of these. */
const times = z.custom<number[]>(
  (value) => Array.isArray(value) && value.every((ns) => Number.isFinite(ns)),
  'expected a list of numbers',
);

/** One run of the engine: a whole generation, or a prefill alone (then stepNs is empty and selectNs has one entry). */
export const runSchema = z.strictObject({
  prefillNs: z.number(),
  stepNs: times,
  selectNs: times,
  wallNs: z.number(),
  /** From an engine's own tool, which tells neither single steps nor ids: then both arrays are empty, without a digest. */
  stepTotal: stepTotalSchema.optional(),
  recompiles: z.int(),
  tokensReturned: z.int(),
  /** SHA-256 of the generated ids, row by row; null for a prefill alone (its ids are checked before recording). */
  tokensSha256: z.string().nullable(),
});
export type Run = z.infer<typeof runSchema>;

/** What the machine told of its clocks around a sample; null is what it does not tell. Never used for rates. */
export const clockReadingSchema = z.strictObject({
  /** From before the first to after the last timed run. */
  watchedNs: z.number().nonnegative(),
  /** Right after the last run: mean of as many CPUs as there are compute threads, the quickest ones. */
  cpuMHz: z.number().nullable(),
  /** Events of slowing down for heat while sampling, over all CPUs. */
  thermalThrottles: z.number().nullable(),
  /** Time that a control group's CPU quota held threads back while sampling, over all of them. */
  quotaThrottledNs: z.number().nullable(),
  /** Of the quickest GPU; cells on a GPU only, as is the next. */
  gpuMHz: z.number().nullable(),
  gpuThrottleReasons: z.array(z.string()).nullable(),
});
export type ClockReading = z.infer<typeof clockReadingSchema>;

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
  /** CPU use, in cores, of the other engines that were loaded and should have slept; null where unknown. */
  idleCores: z.number().nullable().optional(),
  /** The session of them that used most. */
  idleSession: z.string().nullable().optional(),
  /**
   * CPU use of the harness itself, in cores. While a runner process generated: all of this process. While an engine in
   * this process did: the threads that are no engine's, the main thread apart, which is the engine's own then.
   */
  harnessCores: z.number().nullable().optional(),
  /** Absent from records of earlier versions, which did not look. */
  clock: clockReadingSchema.optional(),
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

/** How far teacher-forced logits are from the reference's. Errors are in units of the spread of the reference's logits. */
export const parityFiguresSchema = z.strictObject({
  /** Root mean square of the logit error over the standard deviation of the reference's logits: the worst position. */
  normalisedError: z.number(),
  /** The mean over all positions. */
  meanNormalisedError: z.number(),
  /** The part of the error that all positions share one direction of: rounding leaves little, wrong weights all of it. */
  systematicError: z.number(),
  /** KL divergence of the engine's distribution from the reference's in nats: the worst position, and the mean. */
  klDivergence: z.number(),
  meanKlDivergence: z.number(),
  /** Share of positions with the same argmax, among those where the reference's lead exceeds the error. */
  top1Agreement: z.number(),
  decidedPositions: z.int().min(0),
});
export type ParityFigures = z.infer<typeof parityFiguresSchema>;

export const parityTolerancesSchema = z.strictObject({
  normalisedError: z.number(),
  systematicError: z.number(),
  meanKlDivergence: z.number(),
  /** The least, where the others are the most. */
  top1Agreement: z.number(),
});
export type ParityTolerances = z.infer<typeof parityTolerancesSchema>;

/**
 * Whether a session computes what the reference computes, in a uniform or a ragged batch; `unchecked` says why in
 * `reason`.
 */
export const parityRecordSchema = z.strictObject({
  kind: z.literal('parity'),
  engine: z.string(),
  model: z.string(),
  precision: precisionSchema,
  device: deviceSchema,
  batchSize: z.int().min(1),
  /** Longest prompt; with a spread, the other prompts are shorter down to length·(1 − spread). */
  promptLength: promptLengthSchema,
  verdict: z.enum(['match', 'mismatch', 'unchecked']),
  reason: z.string().nullable(),
  /** Null when unchecked, and when a logit was no finite number. */
  figures: parityFiguresSchema.nullable(),
  tolerances: parityTolerancesSchema.nullable(),
  /** Positions compared of each sequence. */
  steps: z.int().min(0),
  /** What the reference computed with; null when unchecked, absent from records of earlier versions. */
  reference: weightChainSchema.extend({ artefact: z.string() }).nullable().optional(),
});
export type ParityRecord = z.infer<typeof parityRecordSchema>;

const shortRunSchema = z.strictObject({ prefillNs: z.number(), stepNs: z.array(z.number()) });

/** Evidence that the timed work of a cell was done, gathered after its last round: nothing here is a result. */
export const verificationRecordSchema = z.strictObject({
  kind: z.literal('verification'),
  cell: cellSchema,
  /** Tokens in each row of a whole run's answer. */
  rowLengths: z.array(z.int().min(0)),
  /** Tokens of the answer that were held against the engine's own logits, teacher-forced; 0 where it shows none. */
  forcedTokens: z.int().min(0),
  /** Those of them that its logits do not choose. */
  refutedTokens: z.int().min(0),
  /** The first run with other prompts of the same lengths gave the cell's answer, which its logits do not choose. */
  answersOtherPrompts: z.boolean(),
  /** The quickest whole run by the harness's own clock, with what the engine said of it. */
  quickestCall: z.strictObject({ callNs: z.number(), decodeNs: z.number() }).nullable(),
  /** Short runs with other prompts; `repeated` is the cell's own run right after, where the first looked doubtful. */
  fresh: z.array(
    z.strictObject({ callNs: z.number(), run: shortRunSchema, repeated: shortRunSchema.nullable() }),
  ),
});
export type VerificationRecord = z.infer<typeof verificationRecordSchema>;

/** The last word on a cell; a cell without one is unfinished, and resumed. */
export const outcomeRecordSchema = z.strictObject({
  kind: z.literal('outcome'),
  cell: cellSchema,
  status: statusSchema,
  /** Why, in words a reader of the report understands; null only when ok. */
  reason: z.string().nullable(),
});
export type OutcomeRecord = z.infer<typeof outcomeRecordSchema>;

/** One kind of work of a run, and how much of its time lies inside engines. */
export const stageTimeSchema = z.strictObject({
  stage: z.string(),
  wallNs: z.number().nonnegative(),
  engineNs: z.number().nonnegative(),
});
export type StageTime = z.infer<typeof stageTimeSchema>;

/** The end of an attempt: absent when it was killed. */
export const endRecordSchema = z.strictObject({
  kind: z.literal('end'),
  interrupted: z.boolean(),
  wallNs: z.number().nonnegative(),
  /** Time inside engine calls: loading, compiling, warming up, measuring. */
  engineNs: z.number().nonnegative(),
  /** Where `wallNs` went; absent in records of earlier versions. */
  stages: z.array(stageTimeSchema).optional(),
});
export type EndRecord = z.infer<typeof endRecordSchema>;

export const recordSchema = z.discriminatedUnion('kind', [
  sessionRecordSchema,
  preparationRecordSchema,
  parityRecordSchema,
  sampleRecordSchema,
  verificationRecordSchema,
  outcomeRecordSchema,
  endRecordSchema,
  importedRecordSchema,
]);
export type RunRecord = z.infer<typeof recordSchema>;
