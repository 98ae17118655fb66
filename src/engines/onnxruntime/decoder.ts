import { EngineError } from '../../errors.ts';
import type { Effective } from '../../schema/protocol.ts';
import type { Decoder } from '../engine.ts';
import { Batch } from './batch.ts';
import type { DeviceMemory } from './capi/device.ts';
import type { OrtLibrary } from './capi/library.ts';
import type { OrtSession } from './capi/session.ts';
import type { DecoderGraph } from './graph.ts';
import { KvCache } from './kvcache.ts';
import { checkPrompts } from './prompts.ts';

/** Greedy decoding over ONNX Runtime's C API. Owns the session, the KV cache and the batch in flight. */
export class OrtDecoder implements Decoder {
  readonly vocabSize: number;
  readonly #library: OrtLibrary;
  readonly #session: OrtSession;
  readonly #graph: DecoderGraph;
  /** Where the cache lies; null for the host. */
  readonly #device: DeviceMemory | null;
  #cache: KvCache | null = null;
  #cleared = true;
  #batch: Batch | null = null;
  /** What `begin` made possible and `prefill` used up. */
  #state: 'idle' | 'begun' | 'decoding' | 'closed' = 'idle';

  constructor(
    library: OrtLibrary,
    session: OrtSession,
    graph: DecoderGraph,
    device: DeviceMemory | null = null,
  ) {
    this.#library = library;
    this.#session = session;
    this.#graph = graph;
    this.#device = device;
    this.vocabSize = graph.vocabSize;
  }

  begin(rows: readonly Int32Array[], capacity: number): void {
    if (this.#state === 'closed') throw new EngineError('failed', 'the session is closed');
    this.end();
    const prompts = checkPrompts(this.#graph, rows, capacity);
    const cache = this.#readyCache(rows.length, capacity);
    const onDevice = this.#device !== null;
    this.#batch = new Batch(this.#library, this.#session, this.#graph, cache, prompts, onDevice);
    this.#state = 'begun';
  }

  prefill(): Float32Array {
    if (this.#state !== 'begun') throw new EngineError('failed', 'prefill needs a begin before it');
    const logits = this.#batch!.prefill();
    this.#state = 'decoding';
    return logits;
  }

  step(ids: Int32Array): Float32Array {
    if (this.#state !== 'decoding') throw new EngineError('failed', 'step needs a prefill before it');
    const batch = this.#batch!;
    const { batchSize, capacity } = this.#cache!;
    if (ids.length !== batchSize) {
      throw new EngineError('failed', `${ids.length} ids for a batch of ${batchSize}`);
    }
    if (batch.width >= capacity)
      throw new EngineError('failed', `the KV cache of ${capacity} tokens is full`);
    return batch.step(ids);
  }

  /** Gives the batch in flight back; `begin` and `close` do so by themselves. */
  end(): void {
    this.#batch?.release();
    this.#batch = null;
    this.#state = 'idle';
  }

  effective(): Effective {
    if (!this.#batch || !this.#cache) return {};
    return {
      kvCapacity: this.#cache.capacity,
      kvCacheMiB: this.#cache.bytes / 2 ** 20,
      prefillChunks: 1,
      padding: this.#batch.prompts.ragged ? 'right' : 'none',
      ...(this.#device && { kvCleared: this.#cleared }),
    };
  }

  /** Of the session's device since it was loaded: the provider keeps one count and no other. */
  peakDeviceBytes(): number | null {
    return this.#device?.peakBytes() ?? null;
  }

  /** May be called again. */
  close(): void {
    if (this.#state === 'closed') return;
    this.end();
    this.#cache?.release();
    this.#cache = null;
    this.#device?.release();
    this.#session.release();
    this.#state = 'closed';
  }

  /** A cache of the same shape is used again; another shape's is given back first, so that peaks do not add up. */
  #readyCache(batchSize: number, capacity: number): KvCache {
    if (this.#cache?.batchSize !== batchSize || this.#cache.capacity !== capacity) {
      this.#cache?.release();
      this.#cache = null;
      this.#cache = new KvCache(this.#library, this.#graph.cache, batchSize, capacity, this.#device);
    }
    this.#cleared = this.#cache.clear();
    return this.#cache;
  }
}
