import type { OrtLibrary } from './capi/library.ts';
import type { ElementType } from './capi/table.ts';
import { elementCount, type OrtTensor, tensorOver } from './capi/tensor.ts';

/** A host tensor of token ids, positions or mask values: int64 or int32, as the model wants it. */
export class IntegerInput {
  readonly tensor: OrtTensor;
  readonly #library: OrtLibrary;
  readonly #elementType: ElementType;
  readonly #memory: ArrayBuffer;
  /** The low half of every int64: ids are never negative, and writing them as BigInt costs ten times as much. */
  readonly #words: Int32Array;
  readonly #stride: number;
  readonly #wide: BigInt64Array | null;

  /** All zeros. */
  constructor(library: OrtLibrary, elementType: ElementType, shape: readonly number[]) {
    const wide = elementType === 'int64';
    this.#library = library;
    this.#elementType = elementType;
    this.#stride = wide ? 2 : 1;
    this.#memory = new ArrayBuffer(elementCount(shape) * this.#stride * 4);
    this.#words = new Int32Array(this.#memory);
    this.#wide = wide ? new BigInt64Array(this.#memory) : null;
    this.tensor = tensorOver(library, this.#memory, elementType, shape);
  }

  set(index: number, value: number): void {
    this.#words[index * this.#stride] = value;
  }

  fill(value: 0 | 1, start: number, end: number): void {
    if (this.#wide) this.#wide.fill(BigInt(value), start, end);
    else this.#words.fill(value, start, end);
  }

  /** A tensor of another, smaller shape over the beginning of the same memory; the caller releases it. */
  reshaped(shape: readonly number[]): OrtTensor {
    return tensorOver(this.#library, this.#memory, this.#elementType, shape);
  }

  release(): void {
    this.tensor.release();
  }
}
