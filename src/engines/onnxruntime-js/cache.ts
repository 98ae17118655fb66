import type { Tensor } from 'onnxruntime-node';
import type { CacheSlot } from '../onnxruntime/graph.ts';
import { asEngineError, type Ort } from './binding.ts';

type Tensors = Record<string, Tensor>;

/** The KV cache of a batch, as an application keeps it between two calls of `run`. */
export interface Cache {
  /** past_* for the next run. */
  readonly feeds: Readonly<Tensors>;
  /** Tensors that the next run shall write its present_* to; null: it makes them. */
  readonly fetches: Readonly<Record<string, Tensor | null>>;
  /** Takes in what a run returned. */
  advance(returned: Readonly<Tensors>): void;
  /** Bytes that it holds now. */
  readonly bytes: number;
}

/**
 * One buffer per slot, [batch, kvHeads, capacity, headSize], fed as past and asked for as present: attention appends in
 * place. `run` still copies it whole into the tensors that it returns, which are dropped.
 */
export class PreallocatedCache implements Cache {
  readonly feeds: Tensors = {};
  readonly fetches: Tensors = {};
  readonly bytes: number;

  constructor(ort: Ort, slots: readonly CacheSlot[], batchSize: number, capacity: number) {
    let bytes = 0;
    for (const slot of slots) {
      const tensor = emptyTensor(ort, slot, batchSize, capacity);
      bytes += tensor.data.length * (slot.elementType === 'float16' ? 2 : 4);
      this.feeds[slot.past] = tensor;
      this.fetches[slot.present] = tensor;
    }
    this.bytes = bytes;
  }

  /** Writes zeros, which also makes the system back every page, so that no timed phase pays for it. */
  clear(): void {
    for (const tensor of Object.values(this.feeds)) (tensor.data as Float32Array | Uint16Array).fill(0);
  }

  advance(): void {}
}

/** Feeds back what `run` returned: past grows by one token with every step. */
export class ReturnedCache implements Cache {
  feeds: Tensors = {};
  readonly fetches: Record<string, null> = {};
  readonly #slots: readonly CacheSlot[];

  constructor(ort: Ort, slots: readonly CacheSlot[], batchSize: number) {
    this.#slots = slots;
    for (const slot of slots) {
      this.feeds[slot.past] = emptyTensor(ort, slot, batchSize, 0);
      this.fetches[slot.present] = null;
    }
  }

  get bytes(): number {
    return Object.values(this.feeds).reduce(
      (sum, { data }) => sum + (data as Float32Array | Uint16Array).byteLength,
      0,
    );
  }

  advance(returned: Readonly<Tensors>): void {
    this.feeds = Object.fromEntries(this.#slots.map(({ past, present }) => [past, returned[present]!]));
  }
}

function emptyTensor(ort: Ort, slot: CacheSlot, batchSize: number, tokens: number): Tensor {
  const dims = [batchSize, slot.kvHeads, tokens, slot.headSize];
  const count = dims.reduce((product, n) => product * n);
  try {
    return slot.elementType === 'float16'
      ? new ort.Tensor('float16', new Uint16Array(count), dims)
      : new ort.Tensor('float32', new Float32Array(count), dims);
  } catch (error) {
    throw asEngineError(error, `allocating a KV cache of ${tokens} tokens for a batch of ${batchSize}`);
  }
}
