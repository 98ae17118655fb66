import { z } from 'zod';
import { ENGINE_ERROR_CODES } from '../errors.ts';
import { deviceSchema, precisionSchema } from './vocabulary.ts';

/** Bumped on every incompatible change; a runner that speaks another version is refused at hello. */
export const PROTOCOL_VERSION = 1;

const id = z.int().min(0);
const ns = z.number().nonnegative();
const tokenIds = z.array(z.array(z.int().min(0)));

/** Free-form but flat: what an engine wants recorded about how it really ran. */
export const effectiveSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));
export type Effective = z.infer<typeof effectiveSchema>;

export const loadRequestSchema = z.strictObject({
  model: z.string(),
  /** Folder of the prepared artefact of the kind that the engine's meta names. */
  artefactDir: z.string(),
  precision: precisionSchema,
  device: deviceSchema,
  threads: z.int().min(1),
  /** Largest batch and longest prompt + generated tokens that will be asked of this session. */
  maxBatchSize: z.int().min(1),
  maxSequenceLength: z.int().min(2),
  options: z.record(z.string(), z.unknown()),
});
export type LoadRequest = z.infer<typeof loadRequestSchema>;

/** A shape to warm or compile for; `promptLength` is the longest of the batch. */
export const shapeSchema = z.strictObject({
  batchSize: z.int().min(1),
  promptLength: z.int().min(1),
  generate: z.int().min(1),
});
export type Shape = z.infer<typeof shapeSchema>;

export const generateRequestSchema = z.strictObject({
  /** [batch][real prompt tokens]; rows differ in length in a ragged batch. */
  prompts: tokenIds,
  /** Tokens to generate per sequence; 1 is a prefill alone. */
  generate: z.int().min(1),
  /**
   * Capacity the KV cache must be allocated for in tokens per sequence. A prefill that is timed alone (generate: 1)
   * keeps the cell's own capacity, so that it does the cell's own work.
   */
  capacity: z.int().min(2),
  /** Reset the peak of the resident set before, and report it after. Never asked for while timing counts. */
  measurePeakMemory: z.boolean(),
});
export type GenerateRequest = z.infer<typeof generateRequestSchema>;

export const teacherForceRequestSchema = z.strictObject({
  prompts: tokenIds,
  /** [batch][steps]: fed instead of the engine's own choices. */
  continuation: tokenIds,
  /** float32 little-endian, [steps + 1][batch][vocab], written by the engine. */
  logitsFile: z.string(),
});
export type TeacherForceRequest = z.infer<typeof teacherForceRequestSchema>;

export const commandSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('hello'), id, protocol: z.int() }),
  loadRequestSchema.extend({ type: z.literal('load'), id }),
  shapeSchema.extend({ type: z.literal('prepare'), id }),
  generateRequestSchema.extend({ type: z.literal('generate'), id }),
  teacherForceRequestSchema.extend({ type: z.literal('teacherForce'), id }),
  z.strictObject({ type: z.literal('close'), id }),
]);
export type Command = z.infer<typeof commandSchema>;

export const loadedSchema = z.strictObject({
  loadNs: ns,
  /** Null when the engine's own tool is driven, which does not say. */
  vocabSize: z.int().min(1).nullable(),
  /** Library name → exact version or build. */
  versions: z.record(z.string(), z.string()),
  effective: effectiveSchema,
});
export type Loaded = z.infer<typeof loadedSchema>;

export const preparedSchema = z.strictObject({
  /** Compilation alone; 0 for engines that do not compile. */
  compileNs: ns,
  /** Facts that depend on the shape: chunk sizes, compile mode taken, attention path. */
  effective: effectiveSchema,
});
export type Prepared = z.infer<typeof preparedSchema>;

/** All decode steps of a run together. */
export const stepTotalSchema = z.strictObject({ steps: z.int().min(0), ns });

/**
 * One run, times by the runner's own monotonic clock (spec/metrics):
 * prefillNs from ids in host memory to last-position logits readable by the host; stepNs[generate − 1];
 * selectNs[generate], the argmax alone.
 */
export const generationSchema = z.strictObject({
  prefillNs: ns,
  stepNs: z.array(ns),
  selectNs: z.array(ns),
  /** [batch][generate] */
  tokens: tokenIds,
  /** From an engine's own tool that tells no more than this: stepNs, selectNs and tokens are empty then. */
  stepTotal: stepTotalSchema.optional(),
  /** Recompilations seen during this run; must be 0 in a timed one. */
  recompiles: z.int().min(0),
  /** First to last clock reading of the run, so phases can be checked against it. */
  wallNs: ns,
  /** Peak resident set in bytes; null unless asked for or where the system cannot tell. */
  peakRssBytes: z.number().nonnegative().nullable(),
  peakDeviceBytes: z.number().nonnegative().nullable(),
});
export type Generation = z.infer<typeof generationSchema>;

export const replySchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('hello'),
    id,
    protocol: z.int(),
    runner: z.string(),
    versions: z.record(z.string(), z.string()),
  }),
  loadedSchema.extend({ type: z.literal('loaded'), id }),
  preparedSchema.extend({ type: z.literal('prepared'), id }),
  generationSchema.extend({ type: z.literal('generated'), id }),
  z.strictObject({ type: z.literal('teacherForced'), id, steps: z.int().min(1), vocabSize: z.int().min(1) }),
  z.strictObject({ type: z.literal('closed'), id }),
  z.strictObject({
    type: z.literal('error'),
    id,
    code: z.enum(ENGINE_ERROR_CODES),
    message: z.string(),
  }),
]);
export type Reply = z.infer<typeof replySchema>;
