import { z } from 'zod';

/** Options of the engine in a sweep. The defaults are ONNX Runtime's own, as onnxruntime-genai uses it. */
export const ortOptionsSchema = z.strictObject({
  libraryPath: z
    .string()
    .min(1)
    .optional()
    .describe('ONNX Runtime library file to load in place of the one that onnxruntime-node ships'),
  graphOptimizationLevel: z.enum(['disabled', 'basic', 'extended', 'layout', 'all']).default('all'),
  allowSpinning: z
    .boolean()
    .default(true)
    .describe('threads spin while they wait for work; off gives way to other processes'),
  interOpThreads: z.int().min(1).default(1).describe('only used by graphs run in parallel mode'),
  sessionConfig: z
    .record(z.string().min(1), z.string())
    .default({})
    .describe('session configuration entries, e.g. session.set_denormal_as_zero: "1"'),
});
export type OrtOptions = z.infer<typeof ortOptionsSchema>;
