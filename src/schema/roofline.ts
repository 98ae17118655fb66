import { z } from 'zod';

/** Element types whose matrix products are measured. */
export const ELEMENT_TYPES = ['fp32', 'fp16', 'bf16', 'int8'] as const;
export type ElementType = (typeof ELEMENT_TYPES)[number];

/** The fastest reading and writing of a working set of this size, over all kernels and repeats. */
export const bandwidthPointSchema = z.strictObject({
  workingSetBytes: z.int().min(1),
  bytesPerSecond: z.number().positive(),
  kernel: z.string(),
});

/** The fastest matrix product, over all libraries and repeats; a multiplication and an addition are two operations. */
export const matrixRateSchema = z.strictObject({
  operationsPerSecond: z.number().positive(),
  kernel: z.string(),
});

/** What the measuring program prints. */
export const rooflineFiguresSchema = z.strictObject({
  /** By growing size of the working set: caches first, memory last. */
  bandwidth: z.array(bandwidthPointSchema).min(1),
  /** Null where no library has such a product. */
  matrix: z.strictObject({
    fp32: matrixRateSchema.nullable(),
    fp16: matrixRateSchema.nullable(),
    bf16: matrixRateSchema.nullable(),
    int8: matrixRateSchema.nullable(),
  }),
  /** Of the libraries whose kernels these are. */
  versions: z.record(z.string(), z.string()),
});
export type RooflineFigures = z.infer<typeof rooflineFiguresSchema>;

/** What the CPU and its memory reach at best with so many threads: the roof that no cell can be above. */
export const rooflineSchema = rooflineFiguresSchema.extend({
  threads: z.int().min(1),
  measuredAt: z.iso.datetime(),
  /** What measuring took. */
  seconds: z.number(),
  /** Load of other processes meanwhile, in cores; null where the system cannot tell. */
  otherLoadCores: z.number().nullable(),
});
export type Roofline = z.infer<typeof rooflineSchema>;
