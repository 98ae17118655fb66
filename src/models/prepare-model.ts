import { z } from 'zod';
import { EngineError } from '../errors.ts';
import type { Device, Precision } from '../schema/vocabulary.ts';
import type { MakeOptions } from './cache.ts';
import type { ResolvedModel } from './catalogue.ts';
import { type Artefact, prepareArtefact } from './prepare.ts';
import { callPreparer } from './preparer.ts';
import type { MadeKind } from './recipe.ts';

export interface PrepareModelOptions extends MakeOptions {
  readonly device: Device;
  /** Compare every matrix of each ONNX and GGUF artefact with the canonical checkpoint. */
  readonly verify?: boolean;
}

export interface MatrixCheck {
  readonly name: string;
  /** As the artefact has it: "Q4_0", "int4 blocks of 32", "float32". */
  readonly storedAs: string;
  /** The tensors of the checkpoint that it holds. */
  readonly canonical: readonly string[];
  readonly shape: readonly number[];
  /** `rounded`: kept at a lower precision than the checkpoint has, and nothing else changed. */
  readonly verdict: 'identical' | 'rounded' | 'differs';
  readonly differing: number;
  readonly largestDifference: number | null;
}

export interface Verification {
  readonly matrices: readonly MatrixCheck[];
  /** Canonical matrices that the artefact does not hold. */
  readonly missing: readonly string[];
  readonly ok: boolean;
}

export type PreparedModel = { readonly kind: MadeKind; readonly precision: Precision } & (
  | { readonly outcome: 'prepared'; readonly artefact: Artefact; readonly verification: Verification | null }
  /** This precision has no such artefact, and why; the others are made all the same. */
  | { readonly outcome: 'impossible'; readonly reason: string }
);

const verificationSchema = z.object({
  ok: z.literal(true),
  matrices: z.array(
    z.object({
      name: z.string(),
      storedAs: z.string(),
      canonical: z.array(z.string()),
      shape: z.array(z.int()),
      verdict: z.enum(['identical', 'rounded', 'differs']),
      differing: z.int(),
      largestDifference: z.number().nullable(),
    }),
  ),
  missing: z.array(z.string()),
});

/**
 * Everything that the engines need of one model, checkpoints first. What a format cannot carry is an outcome; mistakes
 * in the model's files, a full disk and defects are thrown.
 */
export async function prepareModel(
  model: ResolvedModel,
  precisions: readonly Precision[],
  kinds: readonly MadeKind[],
  { device, verify = false, ...options }: PrepareModelOptions,
): Promise<PreparedModel[]> {
  const results: PreparedModel[] = [];
  const ordered = [...new Set<MadeKind>(['checkpoint', ...kinds])];
  for (const precision of precisions) {
    for (const kind of ordered) {
      try {
        const artefact = await prepareArtefact({ model, kind, precision, device, ...options });
        const verification =
          verify && kind !== 'checkpoint'
            ? await verifyArtefact(model, kind, precision, device, options)
            : null;
        results.push({ kind, precision, outcome: 'prepared', artefact, verification });
      } catch (error) {
        if (!(error instanceof EngineError) || error.code !== 'unsupported') throw error;
        results.push({ kind, precision, outcome: 'impossible', reason: error.message });
      }
    }
  }
  return results;
}

/** Every matrix of a prepared ONNX or GGUF artefact against the canonical checkpoint. */
export async function verifyArtefact(
  model: ResolvedModel,
  kind: Exclude<MadeKind, 'checkpoint'>,
  precision: Precision,
  device: Device,
  options: Omit<MakeOptions, 'force'> = {},
): Promise<Verification> {
  const request = { model, precision, device, ...options, force: false };
  const checkpoint = await prepareArtefact({ ...request, kind: 'checkpoint' });
  const artefact = await prepareArtefact({ ...request, kind });
  options.onProgress?.(`comparing the ${precision} ${kind} with its checkpoint`);
  const { matrices, missing } = await callPreparer(
    'verify',
    { kind, artefact: artefact.dir, checkpoint: checkpoint.dir },
    verificationSchema,
    options,
  );
  const ok = missing.length === 0 && matrices.every(({ verdict }) => verdict !== 'differs');
  return { matrices, missing, ok };
}
