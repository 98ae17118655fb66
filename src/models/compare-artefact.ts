import { z } from 'zod';
import { type CallOptions, callPreparer } from './preparer.ts';
import type { MadeKind } from './recipe.ts';

export interface TensorCheck {
  readonly name: string;
  /** As the artefact has it: "Q4_0", "int4 blocks of 32", "float32". */
  readonly storedAs: string;
  /** The tensors of the checkpoint that it holds. */
  readonly canonical: readonly string[];
  readonly shape: readonly number[];
  /** `rounded`: kept at a lower precision than the checkpoint has, or with scales of one, and nothing else changed. */
  readonly verdict: 'identical' | 'rounded' | 'differs';
  readonly differing: number;
  readonly largestDifference: number | null;
  /** As a share of the value, over those that are not 0. */
  readonly largestRelativeDifference: number | null;
}

/** What an artefact computes with besides its weights: norm epsilon, heads, rotary frequencies, window. */
export interface ConstantCheck {
  readonly name: string;
  readonly stored: string;
  readonly expected: string;
  readonly verdict: 'equal' | 'differs';
}

export interface Verification {
  readonly tensors: readonly TensorCheck[];
  /** Canonical tensors that the artefact does not hold. */
  readonly missing: readonly string[];
  readonly constants: readonly ConstantCheck[];
  readonly ok: boolean;
}

const verificationSchema = z.object({
  ok: z.literal(true),
  tensors: z.array(
    z.object({
      name: z.string(),
      storedAs: z.string(),
      canonical: z.array(z.string()),
      shape: z.array(z.int()),
      verdict: z.enum(['identical', 'rounded', 'differs']),
      differing: z.int(),
      largestDifference: z.number().nullable(),
      largestRelativeDifference: z.number().nullable(),
    }),
  ),
  missing: z.array(z.string()),
  constants: z.array(
    z.object({
      name: z.string(),
      stored: z.string(),
      expected: z.string(),
      verdict: z.enum(['equal', 'differs']),
    }),
  ),
});

/**
 * An ONNX or GGUF artefact against a canonical checkpoint of the same model and precision, both named by their folders. An
 * int4 checkpoint is compared with what is packed of it in memory by the engines that load it.
 * @throws EngineError for files that cannot be read
 */
export async function compareArtefact(
  kind: MadeKind,
  artefactDir: string,
  checkpointDir: string,
  options: CallOptions = {},
): Promise<Verification> {
  const request = { kind, artefact: artefactDir, checkpoint: checkpointDir };
  const { tensors, missing, constants } = await callPreparer('verify', request, verificationSchema, options);
  const ok = missing.length === 0 && [...tensors, ...constants].every(({ verdict }) => verdict !== 'differs');
  return { tensors, missing, constants, ok };
}
