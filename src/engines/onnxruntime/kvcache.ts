import type { OrtBinding } from './capi/binding.ts';
import type { OrtLibrary } from './capi/library.ts';
import { ELEMENT_BYTES } from './capi/table.ts';
import { allocateTensor, elementCount, type OrtTensor } from './capi/tensor.ts';
import type { CacheSlot } from './graph.ts';

/**
 * The KV cache of a batch: per layer a key and a value tensor [batch, kvHeads, capacity, headSize], bound both as
 * past and as present. GroupQueryAttention sees that they are one buffer, appends in place and copies nothing.
 */
export class KvCache {
  readonly batchSize: number;
  readonly capacity: number;
  readonly bytes: number;
  readonly #library: OrtLibrary;
  readonly #tensors: { slot: CacheSlot; tensor: OrtTensor; bytes: number }[] = [];

  constructor(library: OrtLibrary, slots: readonly CacheSlot[], batchSize: number, capacity: number) {
    this.#library = library;
    this.batchSize = batchSize;
    this.capacity = capacity;
    try {
      for (const slot of slots) {
        const shape = [batchSize, slot.kvHeads, capacity, slot.headSize];
        const bytes = elementCount(shape) * ELEMENT_BYTES[slot.elementType];
        this.#tensors.push({ slot, bytes, tensor: allocateTensor(library, slot.elementType, shape) });
      }
    } catch (error) {
      this.release();
      throw error;
    }
    this.bytes = this.#tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Writes zeros, which also makes the system back every page, so that no timed phase pays for it. */
  clear(): void {
    const { calls, output, zero } = this.#library;
    for (const { tensor, bytes } of this.#tensors) {
      const data = output('reaching the KV cache', (out) => calls.GetTensorMutableData(tensor.handle, out));
      zero(data, bytes);
    }
  }

  bind(binding: OrtBinding): void {
    for (const { slot, tensor } of this.#tensors) {
      binding.bindInput(slot.past, tensor);
      binding.bindOutput(slot.present, tensor);
    }
  }

  /** Bindings that hold the tensors are released first, or the memory stays theirs. */
  release(): void {
    for (const { tensor } of this.#tensors) tensor.release();
    this.#tensors.length = 0;
  }
}
