import { EngineError } from '../../errors.ts';

/**
 * Greedy selection over `logits` [rows × vocab], row-major; the lowest id wins a tie. Writes one id per row into `ids`.
 * @throws EngineError when a row holds no number: an engine that computes NaN must not be timed as if it worked.
 */
export function argmaxRows(logits: Float32Array, rows: number, ids: Int32Array): void {
  const vocabSize = logits.length / rows;
  for (let row = 0; row < rows; row++) {
    const offset = row * vocabSize;
    let best = -Infinity;
    let bestId = -1;
    for (let id = 0; id < vocabSize; id++) {
      const value = logits[offset + id]!;
      if (value > best) {
        best = value;
        bestId = id;
      }
    }
    if (bestId < 0 || best === Infinity) {
      throw new EngineError('failed', `the logits of sequence ${row} are not finite numbers`);
    }
    ids[row] = bestId;
  }
}
