import type { OrtLibrary } from './capi/library.ts';
import { ELEMENT_BYTES } from './capi/table.ts';
import { type OrtTensor, tensorOver } from './capi/tensor.ts';
import type { DecoderGraph } from './graph.ts';
import { float16ToFloat32 } from './half.ts';

/** The output buffer of one binding's logits, [batch, rows, vocab], and its reading as [batch × vocab] float32. */
export class LogitsOutput {
  readonly tensor: OrtTensor;
  readonly #source: Float32Array | Uint16Array;
  /** null where the buffer already is what `read` returns. */
  readonly #result: Float32Array | null;
  readonly #lastRows: readonly number[];
  readonly #rows: number;
  readonly #vocabSize: number;

  /**
   * @param rows positions that the model computes logits for
   * @param lastRows for each sequence, which of them is its last real token's
   */
  constructor(library: OrtLibrary, graph: DecoderGraph, rows: number, lastRows: readonly number[]) {
    const batchSize = lastRows.length;
    const { elementType } = graph.logits;
    const shape = [batchSize, rows, graph.vocabSize];
    const memory = new ArrayBuffer(batchSize * rows * graph.vocabSize * ELEMENT_BYTES[elementType]);
    const half = elementType === 'float16';
    this.#source = half ? new Uint16Array(memory) : new Float32Array(memory);
    this.#result = half || rows > 1 ? new Float32Array(batchSize * graph.vocabSize) : null;
    this.#lastRows = lastRows;
    this.#rows = rows;
    this.#vocabSize = graph.vocabSize;
    this.tensor = tensorOver(library, memory, elementType, shape);
  }

  /** The logits of the run just made; overwritten by the next. */
  read(): Float32Array {
    const source = this.#source;
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

  release(): void {
    this.tensor.release();
  }
}
