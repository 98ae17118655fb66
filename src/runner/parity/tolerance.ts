import type { Precision } from '../../schema/vocabulary.ts';

/**
 * Largest normalised error of an engine that computes the same thing, by precision. fp32: summation order alone.
 * bf16 and fp16: rounding of activations (8 and 11 significant bits) through all layers. int4: the weights are equal, but
 * engines round activations to 8 bits or to bf16 before they multiply.
 */
export const PARITY_TOLERANCE: Readonly<Record<Precision, number>> = {
  fp32: 2e-3,
  fp16: 3e-2,
  bf16: 1.5e-1,
  int4: 1.5e-1,
};

/** Fewer agreeing choices than this, where the reference's lead is larger than the error, is another computation. */
export const LEAST_TOP1_AGREEMENT = 0.99;
