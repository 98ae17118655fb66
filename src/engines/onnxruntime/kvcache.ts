import type { OrtBinding } from './capi/binding.ts';
import type { DeviceMemory } from './capi/device.ts';
import type { OrtLibrary } from './capi/library.ts';
import { ELEMENT_BYTES } from './capi/table.ts';
import { allocateTensor, elementCount, type OrtTensor } from './capi/tensor.ts';
import { zeroOnDevice } from './devicezeros.ts';
import type { CacheSlot } from './graph.ts';

/**
 * The KV cache of a batch: per layer a key and a value tensor [batch, kvHeads, capacity, headSize], bound both as
 * past and as present. GroupQueryAttention sees that they are one buffer, appends in place and copies nothing. They lie in
 * the device's memory where there is one, and never leave it.
 */
export class KvCache {
  readonly batchSize: number;
  readonly capacity: number;
  readonly bytes: number;
  readonly #library: OrtLibrary;
  readonly #device: DeviceMemory | null;
  readonly #tensors: { slot: CacheSlot; shape: number[]; tensor: OrtTensor; bytes: number }[] = [];

  constructor(
    library: OrtLibrary,
    slots: readonly CacheSlot[],
    batchSize: number,
    capacity: number,
    device: DeviceMemory | null = null,
  ) {
    this.#library = library;
    this.#device = device;
    this.batchSize = batchSize;
    this.capacity = capacity;
    try {
      for (const slot of slots) {
        const shape = [batchSize, slot.kvHeads, capacity, slot.headSize];
        const bytes = elementCount(shape) * ELEMENT_BYTES[slot.elementType];
        const tensor =
          device?.allocate(slot.elementType, shape) ?? allocateTensor(library, slot.elementType, shape);
        this.#tensors.push({ slot, shape, bytes, tensor });
      }
    } catch (error) {
      this.release();
      throw error;
    }
    this.bytes = this.#tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * Writes zeros, which also makes the system back every page, so that no timed phase pays for it.
   * @returns false where a device's memory could not be written and keeps what it held: attention reads no further than
   * each sequence's length, so that an answer does not depend on it
   */
  clear(): boolean {
    if (this.#device) {
      return this.#tensors.every(({ slot, shape, tensor }) =>
        zeroOnDevice(this.#library, tensor, slot.elementType, shape),
      );
    }
    const { calls, output, zero } = this.#library;
    for (const { tensor, bytes } of this.#tensors) {
      const data = output('reaching the KV cache', (out) => calls.GetTensorMutableData(tensor.handle, out));
      zero(data, bytes);
    }
    return true;
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
