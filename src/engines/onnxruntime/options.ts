import { z } from 'zod';

/** What every way of driving the packaged library lets a sweep set. The defaults are ONNX Runtime's own. */
export const sessionOptionsShape = {
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
};

/** Options of the engine in a sweep. */
export const ortOptionsSchema = z
  .strictObject({
    libraryPath: z
      .string()
      .min(1)
      .optional()
      .describe('ONNX Runtime library file to load in place of the one that onnxruntime-node ships'),
    libraryDir: z
      .string()
      .min(1)
      .optional()
      .describe(
        'folder of an ONNX Runtime library with its provider libraries beside it, e.g. onnxruntime/capi of the Python ' +
          'package onnxruntime-gpu',
      ),
    fp16OnCpu: z
      .enum(['refuse', 'upcast'])
      .default('refuse')
      .describe(
        'the CPU provider multiplies no float16 matrices: refuse leaves fp16 cells out, upcast runs them in fp32 and ' +
          'flags them computed-in-fp32',
      ),
    providerOptions: z
      .record(z.string().min(1), z.string())
      .default({})
      .describe('options of the execution provider of a device other than the CPU, e.g. device_id: "1"'),
    ...sessionOptionsShape,
  })
  .refine(({ libraryPath, libraryDir }) => libraryPath === undefined || libraryDir === undefined, {
    path: ['libraryDir'],
    message: 'names the folder of a library where libraryPath names its file: choose one',
  });
export type OrtOptions = z.infer<typeof ortOptionsSchema>;
