import type { ParityFigures } from '../../schema/record.ts';
import { commonDirectionRms } from './common-direction.ts';

/**
 * Compares logits [positions × vocab], row-major. Errors are in units of the standard deviation of the reference's row.
 * A lead smaller than twice the row's own largest error says nothing about agreement, and is left out of
 * `top1Agreement`, which is 1 when no position is left. Divergences are of the softmax at temperature 1, in nats, of the
 * candidate from the reference. A value that is no finite number makes every figure unbounded.
 * @throws RangeError when the shapes differ
 */
export function compareLogits(
  reference: Float32Array,
  candidate: Float32Array,
  vocabSize: number,
): ParityFigures {
  if (reference.length !== candidate.length || reference.length % vocabSize !== 0 || reference.length === 0) {
    throw new RangeError(`logits of ${candidate.length} values cannot be compared with ${reference.length}`);
  }
  const positions = reference.length / vocabSize;
  const errors = new Float32Array(reference.length);
  const sum = { error: 0, divergence: 0, decided: 0, agreed: 0 };
  let worst = 0;
  let worstDivergence = 0;
  for (let offset = 0; offset < reference.length; offset += vocabSize) {
    const end = offset + vocabSize;
    const row = compareRow(
      reference.subarray(offset, end),
      candidate.subarray(offset, end),
      errors.subarray(offset, end),
    );
    // A NaN must lose every comparison, and Math.max would spread it silently only by luck of order.
    if (!Number.isFinite(row.normalisedError) || !Number.isFinite(row.divergence)) return UNBOUNDED;
    worst = Math.max(worst, row.normalisedError);
    worstDivergence = Math.max(worstDivergence, row.divergence);
    sum.error += row.normalisedError / positions;
    sum.divergence += row.divergence / positions;
    if (row.lead > 2 * row.largestError) {
      sum.decided++;
      if (row.sameTop) sum.agreed++;
    }
  }
  return {
    normalisedError: worst,
    meanNormalisedError: sum.error,
    systematicError: commonDirectionRms(errors, vocabSize),
    klDivergence: worstDivergence,
    meanKlDivergence: sum.divergence,
    top1Agreement: sum.decided === 0 ? 1 : sum.agreed / sum.decided,
    decidedPositions: sum.decided,
  };
}

const UNBOUNDED: ParityFigures = {
  normalisedError: Infinity,
  meanNormalisedError: Infinity,
  systematicError: Infinity,
  klDivergence: Infinity,
  meanKlDivergence: Infinity,
  top1Agreement: 0,
  decidedPositions: 0,
};

/** Writes the row's errors over the reference's standard deviation into `errors`. */
function compareRow(reference: Float32Array, candidate: Float32Array, errors: Float32Array) {
  const n = reference.length;
  let mean = 0;
  let top = 0;
  let candidateTop = 0;
  for (let id = 0; id < n; id++) {
    mean += reference[id]! / n;
    if (reference[id]! > reference[top]!) top = id;
    if (candidate[id]! > candidate[candidateTop]!) candidateTop = id;
  }
  let variance = 0;
  let squaredError = 0;
  let largestError = 0;
  let second = -Infinity;
  const best = reference[top]!;
  const candidateBest = candidate[candidateTop]!;
  let total = 0;
  let candidateTotal = 0;
  let weighted = 0;
  for (let id = 0; id < n; id++) {
    const value = reference[id]!;
    const other = candidate[id]!;
    const error = other - value;
    variance += (value - mean) ** 2 / n;
    squaredError += error ** 2 / n;
    largestError = Math.max(largestError, Math.abs(error));
    if (id !== top && value > second) second = value;
    const weight = Math.exp(value - best);
    total += weight;
    candidateTotal += Math.exp(other - candidateBest);
    weighted += weight * (value - best - (other - candidateBest));
  }
  const deviation = Math.sqrt(variance);
  for (let id = 0; id < n; id++) errors[id] = (candidate[id]! - reference[id]!) / deviation;
  return {
    normalisedError: Math.sqrt(squaredError) / deviation,
    // Σ p·(log p − log q); rounding may leave a little less than 0.
    divergence: Math.max(0, weighted / total - Math.log(total) + Math.log(candidateTotal)),
    lead: best - second,
    largestError,
    sameTop: top === candidateTop,
  };
}
