import { EngineError } from '../../errors.ts';
import type { Precision } from '../../schema/vocabulary.ts';
import { PARITY_TOLERANCES } from './tolerance.ts';

/**
 * How many of `tokens` [batch][steps] an engine's own teacher-forced logits [steps][batch][vocab] do not choose. A token
 * counts as chosen when it is behind the first by no more than the engine's rounding could turn: twice its tolerance.
 * @throws EngineError when the logits have another shape
 */
export function refutedTokens(
  logits: Float32Array,
  vocabSize: number,
  tokens: readonly (readonly number[])[],
  precision: Precision,
): number {
  const batchSize = tokens.length;
  const steps = tokens[0]?.length ?? 0;
  if (logits.length !== steps * batchSize * vocabSize) {
    throw new EngineError(
      'failed',
      `${logits.length} logits for ${steps} steps of ${batchSize} sequences and ${vocabSize} ids`,
    );
  }
  const allowance = 2 * PARITY_TOLERANCES[precision].normalisedError;
  let refuted = 0;
  for (let step = 0; step < steps; step++) {
    for (let row = 0; row < batchSize; row++) {
      const offset = (step * batchSize + row) * vocabSize;
      const values = logits.subarray(offset, offset + vocabSize);
      const { best, deviation } = describe(values);
      const chosen = values[tokens[row]![step]!];
      if (!(chosen !== undefined && best - chosen <= allowance * deviation)) refuted++;
    }
  }
  return refuted;
}

function describe(values: Float32Array): { best: number; deviation: number } {
  let best = -Infinity;
  let mean = 0;
  for (const value of values) {
    best = Math.max(best, value);
    mean += value / values.length;
  }
  let variance = 0;
  for (const value of values) variance += (value - mean) ** 2 / values.length;
  return { best, deviation: Math.sqrt(variance) };
}
