/** How far one engine's teacher-forced logits are from the reference's. */
export interface LogitsComparison {
  /** Root mean square of the error over the standard deviation of the reference's logits: of the worst position. */
  readonly normalisedError: number;
  /** Share of positions with the same argmax, among those where the reference's lead exceeds the error. */
  readonly top1Agreement: number;
}

/**
 * Compares logits [positions × vocab], row-major. A lead smaller than the row's own error says nothing about agreement,
 * and is left out of `top1Agreement`, which is 1 when no position is left.
 * @throws RangeError when the shapes differ
 */
export function compareLogits(
  reference: Float32Array,
  candidate: Float32Array,
  vocabSize: number,
): LogitsComparison {
  if (reference.length !== candidate.length || reference.length % vocabSize !== 0) {
    throw new RangeError(`logits of ${candidate.length} values cannot be compared with ${reference.length}`);
  }
  let worst = 0;
  let decided = 0;
  let agreed = 0;
  for (let offset = 0; offset < reference.length; offset += vocabSize) {
    const row = compareRow(
      reference.subarray(offset, offset + vocabSize),
      candidate.subarray(offset, offset + vocabSize),
    );
    // A NaN must lose every comparison, and Math.max would spread it silently only by luck of order.
    worst = Number.isFinite(row.normalisedError) ? Math.max(worst, row.normalisedError) : Infinity;
    if (worst === Infinity) return { normalisedError: Infinity, top1Agreement: 0 };
    if (row.lead > 2 * row.largestError) {
      decided++;
      if (row.sameTop) agreed++;
    }
  }
  return { normalisedError: worst, top1Agreement: decided === 0 ? 1 : agreed / decided };
}

function compareRow(reference: Float32Array, candidate: Float32Array) {
  const n = reference.length;
  let mean = 0;
  for (const value of reference) mean += value / n;
  let variance = 0;
  let squaredError = 0;
  let largestError = 0;
  let top = 0;
  let second = -Infinity;
  let candidateTop = 0;
  for (let id = 0; id < n; id++) {
    const value = reference[id]!;
    const error = candidate[id]! - value;
    variance += (value - mean) ** 2 / n;
    squaredError += error ** 2 / n;
    largestError = Math.max(largestError, Math.abs(error));
    if (id > 0) {
      if (value > reference[top]!) {
        second = reference[top]!;
        top = id;
      } else if (value > second) second = value;
    }
    if (candidate[id]! > candidate[candidateTop]!) candidateTop = id;
  }
  return {
    normalisedError: Math.sqrt(squaredError / variance),
    lead: reference[top]! - second,
    largestError,
    sameTop: top === candidateTop,
  };
}
