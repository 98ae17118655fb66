import { float16ToFloat32 } from './half.ts';

/** Reads the model's logits, [batch, rows, vocab], as the [batch × vocab] float32 of each sequence's last real token. */
export class LastRows {
  /** null where the model's own buffer already is what `read` returns. */
  readonly #result: Float32Array | null;
  readonly #lastRows: readonly number[];
  readonly #rows: number;
  readonly #vocabSize: number;

  /**
   * @param rows positions that the model computes logits for
   * @param lastRows for each sequence, which of them is its last real token's
   * @param half the logits are float16, as bit patterns
   */
  constructor(rows: number, lastRows: readonly number[], vocabSize: number, half: boolean) {
    this.#result = half || rows > 1 ? new Float32Array(lastRows.length * vocabSize) : null;
    this.#lastRows = lastRows;
    this.#rows = rows;
    this.#vocabSize = vocabSize;
  }

  /** Either `source` itself or a buffer that the next call overwrites. */
  read(source: Float32Array | Uint16Array): Float32Array {
    const result = this.#result;
    if (!result) return source as Float32Array;
    const vocab = this.#vocabSize;
    for (let b = 0; b < this.#lastRows.length; b++) {
      const start = (b * this.#rows + this.#lastRows[b]!) * vocab;
      const row = source.subarray(start, start + vocab);
      if (row instanceof Float32Array) result.set(row, b * vocab);
      else float16ToFloat32(row, result, b * vocab);
    }
    return result;
  }
}
