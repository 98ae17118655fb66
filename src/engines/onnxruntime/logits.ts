import type { OrtLibrary } from './capi/library.ts';
import { ELEMENT_BYTES } from './capi/table.ts';
import { type OrtTensor, tensorOver } from './capi/tensor.ts';
import type { DecoderGraph } from './graph.ts';
import { LastRows } from './lastrows.ts';

/** The output buffer of one binding's logits, [batch, rows, vocab], and its reading as [batch × vocab] float32. */
export class LogitsOutput {
  readonly tensor: OrtTensor;
  readonly #source: Float32Array | Uint16Array;
  readonly #lastRows: LastRows;

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
    this.#lastRows = new LastRows(rows, lastRows, graph.vocabSize, half);
    this.tensor = tensorOver(library, memory, elementType, shape);
  }

  /** The logits of the run just made; overwritten by the next. */
  read(): Float32Array {
    return this.#lastRows.read(this.#source);
  }

  release(): void {
    this.tensor.release();
  }
}
