import { z } from 'zod';
import { promptLengthSchema } from './cell.ts';
import { modelSchema } from './model.ts';
import { DEVICES, deviceSchema, precisionSchema } from './vocabulary.ts';

const oneOrMany = <T extends z.ZodType>(item: T) =>
  z
    .union([item, z.array(item).min(1)])
    .transform((value) => (Array.isArray(value) ? value : [value]) as z.infer<T>[]);

/** A rule matches a cell when every field it names matches; a list matches any of its members. */
export const ruleSchema = z
  .strictObject({
    engine: oneOrMany(z.string()).optional(),
    model: oneOrMany(z.string()).optional(),
    precision: oneOrMany(precisionSchema).optional(),
    device: oneOrMany(deviceSchema).optional(),
    batchSize: oneOrMany(z.int().min(1)).optional(),
    promptLength: oneOrMany(z.int().min(1)).optional(),
  })
  .refine((rule) => Object.keys(rule).length > 0, 'a rule needs at least one field');
export type Rule = z.infer<typeof ruleSchema>;

export const engineChoiceSchema = z.union([
  z.string().transform((engine) => ({ engine, name: engine, options: {} as Record<string, unknown> })),
  z
    .strictObject({
      /** Id in the engine map. */
      engine: z.string(),
      /** Label of this variant in records and charts; the id unless given. */
      name: z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,59}$/)
        .optional(),
      options: z.record(z.string(), z.unknown()).default({}),
    })
    .transform((choice) => ({ ...choice, name: choice.name ?? choice.engine })),
]);
export type EngineChoice = z.infer<typeof engineChoiceSchema>;

/** What a device computes in unless a sweep says otherwise. */
export const DEFAULT_PRECISION = { cpu: 'fp32', cuda: 'fp16', webgpu: 'fp16' } as const satisfies Record<
  (typeof DEVICES)[number],
  z.infer<typeof precisionSchema>
>;

/** A sweep as written in YAML; the output type has every default filled in. */
export const sweepSchema = z.strictObject({
  $schema: z.string().optional(),
  title: z.string().max(200).optional(),
  /** Names of configs/models/*.yaml, paths of such files, or model descriptions in place. */
  models: z.array(z.union([z.string(), modelSchema])).min(1),
  engines: z.array(engineChoiceSchema).min(1),
  /** fp32 on the CPU and fp16 on any other device unless given: see DEFAULT_PRECISION. */
  precisions: z.array(precisionSchema).min(1).default([]),
  batchSizes: z.array(z.int().min(1).max(4096)).min(1),
  promptLengths: z
    .array(
      z.union([
        z
          .int()
          .min(1)
          .transform((length) => ({ length, spread: 0 })),
        promptLengthSchema,
      ]),
    )
    .min(1),
  /** Tokens generated per sequence. */
  generate: z.int().min(2).max(1_000_000).default(256),
  device: z.enum(DEVICES).default('cpu'),
  /** Compute threads of every engine; the machine's physical cores unless given. */
  threads: z.int().min(1).max(4096).optional(),
  warmup: z
    .strictObject({
      /** Full runs of the cell's own shape, at least. */
      runs: z.int().min(0).default(2),
      /** Seconds of such runs, at least. */
      seconds: z.number().min(0).default(3),
    })
    .prefault({}),
  /** Rounds: each runs every engine of a comparison once, in a seeded random order. Intervals need six or more. */
  repetitions: z.int().min(1).max(10_000).default(6),
  /** A timed phase shorter than this is repeated inside its round until it is not. */
  minTimedSeconds: z.number().min(0).default(0.5),
  seed: z.int().min(0).default(1),
  /** What speedups are divided by. Without a precision: the same precision as the engine compared. */
  baselines: z
    .array(z.strictObject({ engine: z.string(), precision: precisionSchema.optional() }))
    .default([]),
  /** File of published figures that the report prints beside what is measured; its path is relative to this file. */
  published: z.string().optional(),
  /** Estimated hours of the whole sweep: `plan` leaves out the comparisons that would go beyond, and says so. */
  maxHours: z.number().positive().optional(),
  /** When given, only cells that match one of these rules are run. */
  include: z.array(ruleSchema).default([]),
  exclude: z.array(ruleSchema).default([]),
  /** Options for every variant of an engine, by engine id; a variant's own options win. */
  engineOptions: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
  /** Run native engines in the harness's own process or in a child; each engine's own default unless given. */
  isolation: z.enum(['in-process', 'process']).optional(),
  /** Peak memory from a run of its own; costs one more load of in-process engines and one run a cell. */
  measureMemory: z.boolean().default(true),
  timeLimits: z
    .strictObject({
      readySeconds: z.number().positive().default(600),
      cellSeconds: z.number().positive().default(1800),
      closeSeconds: z.number().positive().default(10),
    })
    .prefault({}),
});
export type SweepInput = z.input<typeof sweepSchema>;
export type Sweep = z.output<typeof sweepSchema>;
export type Baseline = Sweep['baselines'][number];
