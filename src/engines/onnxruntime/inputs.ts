import type { OrtLibrary } from './capi/library.ts';
import type { ElementType } from './capi/table.ts';
import { elementCount, type OrtTensor, tensorOver } from './capi/tensor.ts';
import { Integers } from './integers.ts';

/** A host tensor of token ids, positions or mask values, and its memory. */
export class IntegerInput extends Integers {
  readonly tensor: OrtTensor;
  readonly #library: OrtLibrary;
  readonly #elementType: ElementType;

  /** All zeros. */
  constructor(library: OrtLibrary, elementType: ElementType, shape: readonly number[]) {
    super(elementType, elementCount(shape));
    this.#library = library;
    this.#elementType = elementType;
    this.tensor = tensorOver(library, this.memory, elementType, shape);
  }

  /** A tensor of another, smaller shape over the beginning of the same memory; the caller releases it. */
  reshaped(shape: readonly number[]): OrtTensor {
    return tensorOver(this.#library, this.memory, this.#elementType, shape);
  }

  release(): void {
    this.tensor.release();
  }
}
