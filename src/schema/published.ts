import { z } from 'zod';
import { deviceSchema, phaseSchema, precisionSchema } from './vocabulary.ts';

/**
 * Figures that somebody published, as data: what a report prints beside what was measured. `null` wherever the source
 * does not say; nothing is filled in.
 */
export const publishedClaimSchema = z
  .strictObject({
    /** null: a throughput, the source does not say which of the two. */
    phase: phaseSchema.nullable(),
    /** Id of the engine that the claim is about. */
    engine: z.string(),
    precision: precisionSchema,
    /** What it was divided by: as the source calls it, and the engines that this can mean. */
    baseline: z.strictObject({
      title: z.string(),
      engines: z.array(z.string()).min(1),
      precision: precisionSchema.nullable(),
    }),
    /** Speedup, as a factor. */
    average: z.number().positive().nullable().default(null),
    upTo: z
      .strictObject({
        speedup: z.number().positive(),
        batchSize: z.int().min(1).nullable().default(null),
        promptLength: z.int().min(1).nullable().default(null),
      })
      .nullable()
      .default(null),
    atLeast: z.number().positive().nullable().default(null),
    /** What the source says without a number. */
    words: z.string().min(1).nullable().default(null),
    /** The claim is about these only; all of the grid where it is absent. */
    batchSizes: z.array(z.int().min(1)).min(1).nullable().default(null),
    note: z.string().nullable().default(null),
  })
  .refine((claim) => [claim.average, claim.upTo, claim.atLeast, claim.words].some((part) => part !== null), {
    message: 'a claim needs average, upTo or atLeast, or words where the source gives no number',
  });
export type PublishedClaim = z.output<typeof publishedClaimSchema>;

export const publishedSystemSchema = z.strictObject({
  /** Name of a model in configs/models. */
  model: z.string(),
  device: deviceSchema,
  hardware: z.string().nullable(),
  /** Packages with their versions, in words. */
  versions: z.string().nullable(),
  /** Tokens generated, over which token generation was averaged. */
  generate: z.int().min(2).nullable(),
  /** Empty: named in the source without a figure. */
  claims: z.array(publishedClaimSchema),
});
export type PublishedSystem = z.output<typeof publishedSystemSchema>;

export const publishedSchema = z.strictObject({
  $schema: z.string().optional(),
  source: z.strictObject({
    title: z.string(),
    date: z.iso.date(),
    /** What keeps every one of its figures from being like for like. */
    caveats: z.array(z.string()).default([]),
  }),
  systems: z.array(publishedSystemSchema).min(1),
});
export type Published = z.output<typeof publishedSchema>;
