import { EngineError } from '../../errors.ts';
import type { Pointer } from './capi/bindings.ts';
import { CONTEXT_PARAMS, writeField } from './capi/layout.ts';
import type { Library } from './capi/library.ts';
import { bufferSizesMiB, resolvedFlashAttention } from './capi/log.ts';
import { deviceMiB, type Gpu } from './gpu.ts';
import {
  flashAttentionFor,
  KV_BYTES_PER_ELEMENT,
  KV_TYPES,
  type KvType,
  type LlamaCppOptions,
} from './options.ts';
import type { ThreadPool } from './threadpool.ts';

/** llama.cpp rounds the cells of each sequence up to this. */
export const CELL_PADDING = 256;
/**
 * Rows of logits are provided for in steps of this many. Their list of row numbers lies before everything else in
 * llama.cpp's compute buffer, which is aligned to 32 bytes: with any other number all activations straddle two lines of the
 * cache, and f32 prompts were seen at 0.55 to 0.7 of the speed.
 */
const OUTPUTS_STEP = 16;
const FLASH_ATTENTION = { auto: -1, off: 0, on: 1 } as const;

export interface ContextSettings {
  readonly sequences: number;
  /** Cells per sequence, before padding. */
  readonly capacity: number;
  readonly threads: number;
  readonly kvType: KvType;
  readonly options: LlamaCppOptions;
  /** Where cache and products go; null for the CPU. */
  readonly gpu: Gpu | null;
}

export interface Context {
  readonly pointer: Pointer;
  readonly memory: Pointer;
  /** Most tokens of one llama_decode call. */
  readonly nBatch: number;
  readonly effective: Readonly<Record<string, string | number | boolean | null>>;
}

/** Words like these in its log are how llama.cpp says that memory ran out. */
const OUT_OF_MEMORY = /alloc|out of memory|bad_alloc/i;

/** A device that lacks what the backend's kernels need, as Vulkan's 16-bit storage. */
const UNSUPPORTED_DEVICE = /unsupported device/i;

/** The error for something that failed inside llama.cpp, from what it logged meanwhile. */
export function engineErrorFromLog(library: Library, what: string): EngineError {
  const logged = library.log.takeErrors();
  const code = OUT_OF_MEMORY.test(logged)
    ? 'oom'
    : UNSUPPORTED_DEVICE.test(logged)
      ? 'unsupported'
      : 'failed';
  return new EngineError(code, logged === '' ? what : `${what}: ${logged}`);
}

/**
 * Creates a context for one shape: KV cache, compute buffers and graph are of that shape's size, as they would be in a
 * program that serves only it.
 * @throws EngineError `oom` or `failed` with what llama.cpp logged; `unavailable` when the library took a parameter for
 * another one.
 */
export function openContext(
  library: Library,
  model: Pointer,
  pool: ThreadPool,
  settings: ContextSettings,
): Context {
  const { api } = library;
  const { sequences, threads, options, gpu } = settings;
  const cells = Math.ceil(settings.capacity / CELL_PADDING) * CELL_PADDING;
  const nCtx = cells * sequences;
  const nBatch = Math.max(Math.min(options.nBatch, nCtx), sequences);
  const nUbatch = Math.min(options.nUbatch, nBatch);
  const askedFlashAttention = flashAttentionFor(settings.kvType, options.flashAttention);

  const available = gpu === null ? process.availableMemory() : gpu.freeBytes();
  refuseOversizedCache(library, model, nCtx, settings.kvType, available);

  const params = api.llama_context_default_params();
  const image = new Uint8Array(params.words.buffer, params.words.byteOffset, params.words.byteLength);
  const set = (field: keyof typeof CONTEXT_PARAMS, value: number) =>
    writeField(image, CONTEXT_PARAMS[field], value);
  set('nCtx', nCtx);
  set('nBatch', nBatch);
  set('nUbatch', nUbatch);
  set('nSeqMax', sequences);
  const nOutputsMax = Math.ceil(sequences / OUTPUTS_STEP) * OUTPUTS_STEP;
  set('nOutputsMax', nOutputsMax);
  set('nThreads', threads);
  set('nThreadsBatch', threads);
  set('flashAttnType', FLASH_ATTENTION[askedFlashAttention]);
  set('typeK', KV_TYPES[settings.kvType]);
  set('typeV', KV_TYPES[settings.kvType]);
  set('offloadKqv', gpu === null ? 0 : 1);
  set('opOffload', gpu === null ? 0 : 1);
  set('kvUnified', options.kvUnified ? 1 : 0);

  library.log.takeErrors();
  const { value: pointer, lines } = library.log.capture(() => api.llama_init_from_model(model, params));
  if (pointer === null) {
    throw engineErrorFromLog(
      library,
      `llama.cpp could not create a context of ${sequences} × ${cells} cells (KV ${settings.kvType})`,
    );
  }
  const expected = {
    llama_n_ctx: nCtx,
    llama_n_ctx_seq: options.kvUnified ? nCtx : cells,
    llama_n_batch: nBatch,
    llama_n_ubatch: nUbatch,
    llama_n_seq_max: sequences,
    llama_n_threads: threads,
  };
  for (const [getter, value] of Object.entries(expected)) {
    const actual = api[getter as keyof typeof expected](pointer);
    if (actual === value) continue;
    api.llama_free(pointer);
    throw new EngineError(
      'unavailable',
      `the llama.cpp library made ${getter} ${actual} where ${value} was asked for`,
    );
  }
  api.llama_attach_threadpool(pointer, pool.pointer, pool.pointer);

  const sum = (sizes: ReadonlyMap<string, number>) => [...sizes.values()].reduce((a, b) => a + b, 0);
  const flashAttention =
    (askedFlashAttention === 'auto' ? resolvedFlashAttention(lines) : askedFlashAttention) ?? 'auto';
  return {
    pointer,
    memory: api.llama_get_memory(pointer),
    nBatch,
    effective: {
      flashAttention,
      kvCacheType: settings.kvType,
      // With flash attention llama.cpp's graph casts an f32 cache to f16 before it computes.
      attentionKvType: flashAttention === 'on' && settings.kvType === 'f32' ? 'f16' : settings.kvType,
      kvUnified: options.kvUnified,
      kvCellsPerSequence: cells,
      kvCacheMiB: sum(bufferSizesMiB(lines, 'KV')),
      computeBufferMiB: sum(bufferSizesMiB(lines, 'compute')),
      ...(gpu && {
        contextMiBOnDevice:
          deviceMiB(bufferSizesMiB(lines, 'KV'), gpu) + deviceMiB(bufferSizesMiB(lines, 'compute'), gpu),
      }),
      nBatch,
      nUbatch,
      nOutputsMax,
    },
  };
}

/**
 * Linux grants memory that it does not have, and the kernel then kills the process while the cache is cleared: a cache
 * beyond the available memory is refused before it is asked for. A lower bound, where heads are wider than usual.
 */
function refuseOversizedCache(
  library: Library,
  model: Pointer,
  cells: number,
  kvType: KvType,
  availableBytes: number,
): void {
  const { api } = library;
  const elementsPerCell =
    (2 * api.llama_model_n_layer(model) * api.llama_model_n_head_kv(model) * api.llama_model_n_embd(model)) /
    api.llama_model_n_head(model);
  const mib = (cells * elementsPerCell * KV_BYTES_PER_ELEMENT[kvType]) / 2 ** 20;
  const availableMiB = availableBytes / 2 ** 20;
  if (!(mib > availableMiB)) return;
  throw new EngineError(
    'oom',
    `a KV cache of ${cells} cells (${kvType}) needs ${Math.ceil(mib)} MiB, ${Math.floor(availableMiB)} MiB are available`,
  );
}
