import { EngineError } from '../../errors.ts';
import type { Decoder } from '../engine.ts';
import { BatchArrays, type Chunk, planPrefill } from './batch.ts';
import type { Blob, Pointer } from './capi/bindings.ts';
import type { Library } from './capi/library.ts';
import { type Context, engineErrorFromLog, openContext } from './context.ts';
import type { Gpu } from './gpu.ts';
import type { KvType, LlamaCppOptions } from './options.ts';
import type { ThreadPool } from './threadpool.ts';

export interface LoadedModel {
  readonly library: Library;
  readonly model: Pointer;
  readonly pool: ThreadPool;
  readonly vocabSize: number;
  readonly threads: number;
  readonly kvType: KvType;
  readonly options: LlamaCppOptions;
  /** A sliding window that the model has and this library's graph for it has not; null where there is none. */
  readonly ignoredWindow: number | null;
  /** null for the CPU. */
  readonly gpu: Gpu | null;
  /** Of the weights on that device. */
  readonly weightsMiB: number;
}

/**
 * Greedy decoding's primitives over llama_decode. Every sequence has positions of its own from 0, so a ragged batch needs
 * no padding. Logits are a window on llama.cpp's own output buffer: valid until the next call, gone after `close`.
 */
export class LlamaCppDecoder implements Decoder {
  readonly vocabSize: number;
  readonly #loaded: LoadedModel;
  #context: Context | null = null;
  #shape = '';
  #batchSize = 0;
  #prefillArrays: BatchArrays | null = null;
  #prefillCapacity = 0;
  #chunks: readonly Chunk[] = [];
  #stepArrays: BatchArrays | null = null;
  #stepBatch: Blob = { words: new BigUint64Array(0) };
  #gathered: Float32Array = new Float32Array(0);
  #windowAddress: Pointer = 0n;
  #window: Float32Array = new Float32Array(0);
  #closed = false;

  constructor(loaded: LoadedModel) {
    this.#loaded = loaded;
    this.vocabSize = loaded.vocabSize;
  }

  /** @throws EngineError `failed` for prompts that do not fit, `oom` when the cache cannot be allocated. */
  begin(prompts: readonly Int32Array[], capacity: number): void {
    const { library } = this.#loaded;
    this.#validate(prompts, capacity);
    const total = prompts.reduce((sum, prompt) => sum + prompt.length, 0);
    const fresh = this.#ensureContext(prompts.length, capacity);
    const context = this.#open();
    if (this.#prefillArrays === null || this.#prefillCapacity < total) {
      this.#prefillArrays = new BatchArrays(total, library.addressOf);
      this.#prefillCapacity = total;
    }
    this.#chunks = planPrefill(this.#prefillArrays, prompts, context.nBatch);
    if (this.#chunks.length > 1) this.#gathered = new Float32Array(prompts.length * this.vocabSize);
    // Touches the new compute buffers, so that the first timed prefill of a shape pays for no page fault.
    if (fresh) this.#decode(this.#chunks[0]!.batch, this.#chunks[0]!.tokens);
    library.api.llama_memory_clear(context.memory, false);
    // A device works on after a call returned: what it still does belongs to no timed phase.
    library.api.llama_synchronize(context.pointer);
    prompts.forEach((prompt, sequence) => {
      this.#stepArrays!.positions[sequence] = prompt.length;
    });
  }

  prefill(): Float32Array {
    if (this.#chunks.length === 1) {
      this.#decode(this.#chunks[0]!.batch, this.#chunks[0]!.tokens);
      return this.#logits();
    }
    for (const { batch, tokens, firstRow, rows } of this.#chunks) {
      this.#decode(batch, tokens);
      // Waits for the chunk even when it ends no prompt; the next call overwrites the rows of this one.
      const logits = this.#logits();
      if (rows > 0) this.#gathered.set(logits.subarray(0, rows * this.vocabSize), firstRow * this.vocabSize);
    }
    return this.#gathered;
  }

  step(ids: Int32Array): Float32Array {
    const arrays = this.#stepArrays!;
    arrays.tokens.set(ids);
    this.#decode(this.#stepBatch, this.#batchSize);
    for (let sequence = 0; sequence < this.#batchSize; sequence++) arrays.positions[sequence]!++;
    return this.#logits();
  }

  effective(): Record<string, string | number | boolean | null> {
    if (this.#context === null) return {};
    return { ...this.#context.effective, prefillCalls: this.#chunks.length };
  }

  /** Weights, cache and buffers of the context: llama.cpp allocates all of it before it computes. */
  peakDeviceBytes(): number | null {
    const context = this.#context?.effective.contextMiBOnDevice;
    if (this.#loaded.gpu === null || typeof context !== 'number') return null;
    return Math.round((this.#loaded.weightsMiB + context) * 2 ** 20);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#freeContext();
    this.#loaded.pool.free();
    this.#loaded.library.api.llama_model_free(this.#loaded.model);
  }

  #validate(prompts: readonly Int32Array[], capacity: number): void {
    if (this.#closed) throw new EngineError('failed', 'the session is closed');
    const most = Number(this.#loaded.library.api.llama_max_parallel_sequences());
    if (prompts.length > most) {
      throw new EngineError(
        'unsupported',
        `llama.cpp decodes at most ${most} sequences at once, not ${prompts.length}`,
      );
    }
    const { ignoredWindow } = this.#loaded;
    if (ignoredWindow !== null && capacity > ignoredWindow) {
      throw new EngineError(
        'unsupported',
        `llama.cpp's attention sees every token of this model, whose sliding window is ${ignoredWindow}: ` +
          `${capacity} tokens would be another computation`,
      );
    }
    for (const prompt of prompts) {
      if (prompt.length === 0) throw new EngineError('failed', 'a prompt is empty');
      if (prompt.length > capacity) {
        throw new EngineError(
          'failed',
          `a prompt of ${prompt.length} tokens exceeds the capacity of ${capacity}`,
        );
      }
    }
  }

  /** True when the shape changed and a context was made for it. */
  #ensureContext(sequences: number, capacity: number): boolean {
    const shape = `${sequences}x${capacity}`;
    if (this.#context !== null && shape === this.#shape) return false;
    const { library, model, pool, threads, kvType, options, gpu } = this.#loaded;
    this.#freeContext();
    const settings = { sequences, capacity, threads, kvType, options, gpu };
    this.#context = openContext(library, model, pool, settings);
    this.#shape = shape;
    this.#batchSize = sequences;
    const arrays = new BatchArrays(sequences, library.addressOf);
    arrays.sequences.set(Array.from({ length: sequences }, (_, sequence) => sequence));
    arrays.outputs.fill(1);
    this.#stepArrays = arrays;
    this.#stepBatch = arrays.slice(0, sequences);
    return true;
  }

  #open(): Context {
    if (this.#context === null) throw new EngineError('failed', 'no run has begun');
    return this.#context;
  }

  #decode(batch: Blob, tokens: number): void {
    const { library, pool } = this.#loaded;
    const status = library.api.llama_decode(this.#open().pointer, batch);
    pool.used();
    if (status !== 0) throw decodeError(library, status, tokens);
  }

  /** [batch × vocab]; reading the pointer waits for the computation and puts rows into the order of the batch. */
  #logits(): Float32Array {
    const { library } = this.#loaded;
    const address = library.api.llama_get_logits(this.#open().pointer);
    if (address === null) throw engineErrorFromLog(library, 'llama.cpp returned no logits');
    if (address !== this.#windowAddress) {
      this.#windowAddress = address;
      this.#window = library.floatsAt(address, this.#batchSize * this.vocabSize);
    }
    return this.#window;
  }

  #freeContext(): void {
    if (this.#context === null) return;
    const { api } = this.#loaded.library;
    api.llama_detach_threadpool(this.#context.pointer);
    api.llama_free(this.#context.pointer);
    this.#context = null;
    this.#shape = '';
    this.#windowAddress = 0n;
    this.#window = new Float32Array(0);
  }
}

/** Return codes of llama_decode, as llama.h documents them. */
export function decodeError(library: Library, status: number, tokens: number): EngineError {
  switch (status) {
    case 1:
      return new EngineError('failed', `llama.cpp found no free KV cells for ${tokens} more tokens`);
    case 2:
      return new EngineError('failed', 'llama.cpp aborted the computation');
    case -1:
      return engineErrorFromLog(library, 'llama.cpp refused the batch as invalid');
    case -2: {
      const { message } = engineErrorFromLog(
        library,
        'llama.cpp could not allocate memory for the computation',
      );
      return new EngineError('oom', message);
    }
    default:
      return engineErrorFromLog(library, `llama.cpp failed to compute (status ${status})`);
  }
}
