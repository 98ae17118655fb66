import { z } from 'zod';
import { sessionOptionsShape } from '../onnxruntime/options.ts';

/** Options of the engine in a sweep: those of the library itself, and how the application treats its outputs. */
export const ortJsOptionsSchema = z.strictObject({
  ...sessionOptionsShape,
  // As fast as each other while the cache is small; measured from some 25 MiB on, returned took twice as long a step.
  outputs: z
    .enum(['preallocated', 'returned'])
    .default('preallocated')
    .describe(
      'preallocated: the application passes one buffer as past and present, in which attention appends in place; ' +
        'returned: it feeds back the tensors that run returned, one token longer each time',
    ),
});
export type OrtJsOptions = z.output<typeof ortJsOptionsSchema>;
