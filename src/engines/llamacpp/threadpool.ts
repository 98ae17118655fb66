import { EngineError } from '../../errors.ts';
import type { Pointer } from './capi/bindings.ts';
import { PARAMS_BYTES, THREADPOOL_PARAMS, writeField } from './capi/layout.ts';
import type { Library } from './capi/library.ts';

/** Idle this long, the pool is paused: longer than any gap between two steps of one run. */
const IDLE_MS = 10;

/**
 * Compute threads that outlive a call: without a pool llama.cpp creates threads for every graph, which costs more than
 * the graph of a small model. Workers spin for a while after each graph so that the next finds them awake; once a run is
 * over they are put to sleep, because other engines are timed next.
 */
export class ThreadPool {
  readonly pointer: Pointer;
  readonly #library: Library;
  #lastUse = 0;
  #timer: NodeJS.Timeout | null = null;
  #freed = false;

  /** @throws EngineError `failed` when the threads cannot be created. */
  constructor(library: Library, threads: number, poll: number) {
    const params = new Uint8Array(new ArrayBuffer(PARAMS_BYTES));
    library.api.ggml_threadpool_params_init(params, threads);
    writeField(params, THREADPOOL_PARAMS.poll, poll);
    writeField(params, THREADPOOL_PARAMS.paused, 1);
    const pointer = library.cpu.ggml_threadpool_new(params);
    if (pointer === null) throw new EngineError('failed', `llama.cpp could not create ${threads} threads`);
    this.pointer = pointer;
    this.#library = library;
  }

  /** To be called after each use; a graph wakes a paused pool by itself. */
  used(): void {
    this.#lastUse = performance.now();
    this.#timer ??= setTimeout(() => this.#pauseWhenIdle(), IDLE_MS).unref();
  }

  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#library.cpu.ggml_threadpool_free(this.pointer);
  }

  /** Runs from the event loop, which also gets its turn in the middle of a long run. */
  #pauseWhenIdle(): void {
    this.#timer = null;
    const idleMs = performance.now() - this.#lastUse;
    if (idleMs >= IDLE_MS - 1) this.#library.cpu.ggml_threadpool_pause(this.pointer);
    else this.#timer = setTimeout(() => this.#pauseWhenIdle(), IDLE_MS - idleMs).unref();
  }
}
