import type { InferenceSession } from 'onnxruntime-node';
import { EngineError } from '../../errors.ts';
import type { Effective } from '../../schema/protocol.ts';
import type { Decoder } from '../engine.ts';
import type { DecoderGraph } from '../onnxruntime/graph.ts';
import { checkPrompts } from '../onnxruntime/prompts.ts';
import { Batch } from './batch.ts';
import type { Ort } from './binding.ts';
import { type Cache, PreallocatedCache, ReturnedCache } from './cache.ts';
import type { OrtJsOptions } from './options.ts';

/** Greedy decoding over onnxruntime-node's public `run`. Owns the session, the KV cache and the batch in flight. */
export class OrtJsDecoder implements Decoder {
  readonly vocabSize: number;
  readonly #ort: Ort;
  readonly #session: InferenceSession;
  readonly #graph: DecoderGraph;
  readonly #outputs: OrtJsOptions['outputs'];
  /** Kept from run to run of one shape, as an application would. */
  #preallocated: { cache: PreallocatedCache; batchSize: number; capacity: number } | null = null;
  #batch: Batch | null = null;
  #capacity = 0;
  /** What `begin` made possible and `prefill` used up. */
  #state: 'idle' | 'begun' | 'decoding' | 'closed' = 'idle';

  constructor(ort: Ort, session: InferenceSession, graph: DecoderGraph, outputs: OrtJsOptions['outputs']) {
    this.#ort = ort;
    this.#session = session;
    this.#graph = graph;
    this.#outputs = outputs;
    this.vocabSize = graph.vocabSize;
  }

  begin(rows: readonly Int32Array[], capacity: number): void {
    if (this.#state === 'closed') throw new EngineError('failed', 'the session is closed');
    this.end();
    const prompts = checkPrompts(this.#graph, rows, capacity);
    const cache = this.#readyCache(rows.length, capacity);
    this.#batch = new Batch(this.#ort, this.#session, this.#graph, cache, prompts, capacity);
    this.#capacity = capacity;
    this.#state = 'begun';
  }

  async prefill(): Promise<Float32Array> {
    if (this.#state !== 'begun') throw new EngineError('failed', 'prefill needs a begin before it');
    this.#state = 'idle';
    const logits = await this.#batch!.prefill();
    this.#state = 'decoding';
    return logits;
  }

  async step(ids: Int32Array): Promise<Float32Array> {
    if (this.#state !== 'decoding') throw new EngineError('failed', 'step needs a prefill before it');
    const batch = this.#batch!;
    const batchSize = batch.prompts.rows.length;
    if (ids.length !== batchSize) {
      throw new EngineError('failed', `${ids.length} ids for a batch of ${batchSize}`);
    }
    if (batch.width >= this.#capacity) {
      throw new EngineError('failed', `the KV cache of ${this.#capacity} tokens is full`);
    }
    return batch.step(ids);
  }

  /** Gives the batch in flight back; `begin` and `close` do so by themselves. */
  end(): void {
    this.#batch = null;
    this.#state = 'idle';
  }

  effective(): Effective {
    if (!this.#batch) return {};
    return {
      kvCapacity: this.#outputs === 'preallocated' ? this.#capacity : null,
      kvCacheMiB: this.#batch.cache.bytes / 2 ** 20,
      prefillChunks: 1,
      padding: this.#batch.prompts.ragged ? 'right' : 'none',
    };
  }

  /** May be called again. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#batch = null;
    this.#preallocated = null;
    await this.#session.release();
  }

  #readyCache(batchSize: number, capacity: number): Cache {
    if (this.#outputs === 'returned') return new ReturnedCache(this.#ort, this.#graph.cache, batchSize);
    if (this.#preallocated?.batchSize !== batchSize || this.#preallocated.capacity !== capacity) {
      this.#preallocated = null;
      const cache = new PreallocatedCache(this.#ort, this.#graph.cache, batchSize, capacity);
      this.#preallocated = { cache, batchSize, capacity };
    }
    this.#preallocated.cache.clear();
    return this.#preallocated.cache;
  }
}
