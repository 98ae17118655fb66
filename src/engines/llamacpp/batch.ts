import { BATCH_WORDS, type Blob } from './capi/bindings.ts';

/**
 * The arrays of struct llama_batch for up to `capacity` tokens, in one block of memory outside the JavaScript heap, so
 * that its addresses hold while this object is referenced.
 */
export class BatchArrays {
  readonly tokens: Int32Array;
  readonly positions: Int32Array;
  readonly sequences: Int32Array;
  /** 1 where logits are wanted. */
  readonly outputs: Int8Array;
  readonly #base: bigint;
  readonly #sequenceCounts: Int32Array;
  readonly #sequencePointers: BigUint64Array;

  /** `addressOf` gives the address of a typed array's first byte. */
  constructor(capacity: number, addressOf: (array: ArrayBufferView) => bigint) {
    const block = new ArrayBuffer(capacity * 25);
    this.#sequencePointers = new BigUint64Array(block, 0, capacity);
    this.tokens = new Int32Array(block, capacity * 8, capacity);
    this.positions = new Int32Array(block, capacity * 12, capacity);
    this.sequences = new Int32Array(block, capacity * 16, capacity);
    this.#sequenceCounts = new Int32Array(block, capacity * 20, capacity).fill(1);
    this.outputs = new Int8Array(block, capacity * 24, capacity);
    this.#base = addressOf(this.#sequencePointers);
    const firstSequence = this.#base + BigInt(this.sequences.byteOffset);
    for (let i = 0; i < capacity; i++) this.#sequencePointers[i] = firstSequence + BigInt(i * 4);
  }

  /** A llama_batch over tokens [start, start + count). */
  slice(start: number, count: number): Blob {
    const at = (array: ArrayBufferView, bytes: number) =>
      this.#base + BigInt(array.byteOffset + start * bytes);
    const words = new BigUint64Array(BATCH_WORDS);
    words.set([
      BigInt(count),
      at(this.tokens, 4),
      0n,
      at(this.positions, 4),
      at(this.#sequenceCounts, 4),
      at(this.#sequencePointers, 8),
      at(this.outputs, 1),
    ]);
    return { words };
  }
}

/** One llama_decode call of a prefill. */
export interface Chunk {
  readonly batch: Blob;
  readonly tokens: number;
  /** Sequences [firstRow, firstRow + rows) have their last token, and so their logits, in this chunk. */
  readonly firstRow: number;
  readonly rows: number;
}

/** Lays all prompts out one after another and cuts them into calls of at most `limit` tokens. */
export function planPrefill(arrays: BatchArrays, prompts: readonly Int32Array[], limit: number): Chunk[] {
  const ends: number[] = [];
  let total = 0;
  prompts.forEach((prompt, sequence) => {
    for (let i = 0; i < prompt.length; i++) {
      arrays.tokens[total + i] = prompt[i]!;
      arrays.positions[total + i] = i;
      arrays.sequences[total + i] = sequence;
      arrays.outputs[total + i] = 0;
    }
    total += prompt.length;
    arrays.outputs[total - 1] = 1;
    ends.push(total);
  });
  const chunks: Chunk[] = [];
  for (let start = 0; start < total; start += limit) {
    const end = Math.min(start + limit, total);
    const firstRow = ends.filter((at) => at <= start).length;
    const rows = ends.filter((at) => at > start && at <= end).length;
    chunks.push({ batch: arrays.slice(start, end - start), tokens: end - start, firstRow, rows });
  }
  return chunks;
}
