import type Koffi from 'koffi';
import type { LibraryHandle, TypeObject } from 'koffi';
import { PARAMS_BYTES } from './layout.ts';
import { UnknownVersionError } from './version-error.ts';

/** An address; null is C's null pointer. */
export type Pointer = bigint;

/** A struct passed or returned by value, as an image (capi/layout.ts). */
export interface Blob {
  words: BigUint64Array;
}

/** Words of struct llama_batch: n_tokens, token, embd, pos, n_seq_id, seq_id, logits. */
export const BATCH_WORDS = 7;

/** The part of llama.h, ggml-backend.h and gguf.h that the engine uses; names are the C API's own. */
export interface LlamaApi {
  llama_version(): string;
  ggml_version(): string;
  ggml_commit(): string;
  llama_print_system_info(): string;
  llama_max_parallel_sequences(): number;
  llama_log_set(callback: Pointer | null, userData: null): void;
  llama_backend_init(): void;
  ggml_backend_reg_count(): number;
  ggml_backend_load_all_from_path(dir: string): void;
  ggml_backend_dev_by_type(type: number): Pointer | null;
  ggml_backend_reg_get(index: number): Pointer;
  ggml_backend_reg_name(registry: Pointer): string;
  ggml_backend_dev_count(): number;
  ggml_backend_dev_get(index: number): Pointer;
  ggml_backend_dev_name(device: Pointer): string;
  ggml_backend_dev_description(device: Pointer): string;
  ggml_backend_dev_type(device: Pointer): number;
  ggml_backend_dev_backend_reg(device: Pointer): Pointer;
  /** Bytes into both. */
  ggml_backend_dev_memory(device: Pointer, free: BigUint64Array, total: BigUint64Array): void;
  /** Returns when the backends have finished all work of the context. */
  llama_synchronize(context: Pointer): void;
  llama_model_default_params(): Blob;
  llama_context_default_params(): Blob;
  llama_model_load_from_file(file: string, params: Blob): Pointer | null;
  llama_model_free(model: Pointer): void;
  llama_model_n_layer(model: Pointer): number;
  llama_model_n_embd(model: Pointer): number;
  llama_model_n_head(model: Pointer): number;
  llama_model_n_head_kv(model: Pointer): number;
  /** Tokens of the sliding window that this model's attention keeps to; 0 for none. */
  llama_model_n_swa(model: Pointer): number;
  llama_model_get_vocab(model: Pointer): Pointer;
  llama_vocab_n_tokens(vocab: Pointer): number;
  llama_init_from_model(model: Pointer, params: Blob): Pointer | null;
  llama_free(context: Pointer): void;
  llama_n_ctx(context: Pointer): number;
  llama_n_ctx_seq(context: Pointer): number;
  llama_n_batch(context: Pointer): number;
  llama_n_ubatch(context: Pointer): number;
  llama_n_seq_max(context: Pointer): number;
  llama_n_threads(context: Pointer): number;
  llama_get_memory(context: Pointer): Pointer;
  llama_memory_clear(memory: Pointer, data: boolean): void;
  llama_attach_threadpool(context: Pointer, pool: Pointer, batchPool: Pointer): void;
  llama_detach_threadpool(context: Pointer): void;
  llama_decode(context: Pointer, batch: Blob): number;
  llama_get_logits(context: Pointer): Pointer | null;
  ggml_type_name(type: number): string;
  ggml_threadpool_params_init(params: Uint8Array, threads: number): void;
  gguf_init_from_file(file: string, params: Blob): Pointer | null;
  gguf_get_n_tensors(gguf: Pointer): number;
  gguf_get_tensor_type(gguf: Pointer, tensor: number): number;
  gguf_find_tensor(gguf: Pointer, name: string): number;
  gguf_find_key(gguf: Pointer, key: string): number;
  gguf_get_val_u32(gguf: Pointer, key: number): number;
  gguf_get_val_str(gguf: Pointer, key: number): string;
  gguf_free(gguf: Pointer): void;
}

/** Lives in the CPU backend's library, which ggml picks and loads itself. */
export interface CpuApi {
  ggml_threadpool_new(params: Uint8Array): Pointer | null;
  ggml_threadpool_free(pool: Pointer): void;
  ggml_threadpool_pause(pool: Pointer): void;
  ggml_get_type_traits_cpu(type: number): Pointer | null;
}

type Signature = readonly [result: string | TypeObject, ...args: (string | TypeObject)[]];

export function declareLlamaApi(koffi: typeof Koffi, libraries: readonly LibraryHandle[]): LlamaApi {
  const blob = (words: number) => koffi.struct({ words: koffi.array('uint64_t', words, 'Typed') });
  const params = blob(PARAMS_BYTES / 8);
  const signatures: Record<keyof LlamaApi, Signature> = {
    llama_version: ['str'],
    ggml_version: ['str'],
    ggml_commit: ['str'],
    llama_print_system_info: ['str'],
    llama_max_parallel_sequences: ['size_t'],
    llama_log_set: ['void', 'void *', 'void *'],
    llama_backend_init: ['void'],
    ggml_backend_reg_count: ['size_t'],
    ggml_backend_load_all_from_path: ['void', 'str'],
    ggml_backend_dev_by_type: ['void *', 'int'],
    ggml_backend_reg_get: ['void *', 'size_t'],
    ggml_backend_reg_name: ['str', 'void *'],
    ggml_backend_dev_count: ['size_t'],
    ggml_backend_dev_get: ['void *', 'size_t'],
    ggml_backend_dev_name: ['str', 'void *'],
    ggml_backend_dev_description: ['str', 'void *'],
    ggml_backend_dev_type: ['int', 'void *'],
    ggml_backend_dev_backend_reg: ['void *', 'void *'],
    ggml_backend_dev_memory: ['void', 'void *', 'void *', 'void *'],
    llama_synchronize: ['void', 'void *'],
    llama_model_default_params: [params],
    llama_context_default_params: [params],
    llama_model_load_from_file: ['void *', 'str', params],
    llama_model_free: ['void', 'void *'],
    llama_model_n_layer: ['int32_t', 'void *'],
    llama_model_n_embd: ['int32_t', 'void *'],
    llama_model_n_head: ['int32_t', 'void *'],
    llama_model_n_head_kv: ['int32_t', 'void *'],
    llama_model_n_swa: ['int32_t', 'void *'],
    llama_model_get_vocab: ['void *', 'void *'],
    llama_vocab_n_tokens: ['int32_t', 'void *'],
    llama_init_from_model: ['void *', 'void *', params],
    llama_free: ['void', 'void *'],
    llama_n_ctx: ['uint32_t', 'void *'],
    llama_n_ctx_seq: ['uint32_t', 'void *'],
    llama_n_batch: ['uint32_t', 'void *'],
    llama_n_ubatch: ['uint32_t', 'void *'],
    llama_n_seq_max: ['uint32_t', 'void *'],
    llama_n_threads: ['int32_t', 'void *'],
    llama_get_memory: ['void *', 'void *'],
    llama_memory_clear: ['void', 'void *', 'bool'],
    llama_attach_threadpool: ['void', 'void *', 'void *', 'void *'],
    llama_detach_threadpool: ['void', 'void *'],
    llama_decode: ['int32_t', 'void *', blob(BATCH_WORDS)],
    llama_get_logits: ['void *', 'void *'],
    ggml_type_name: ['str', 'int'],
    ggml_threadpool_params_init: ['void', 'void *', 'int'],
    // struct gguf_init_params: a bool and a pointer, small enough for registers, so two words exactly.
    gguf_init_from_file: ['void *', 'str', blob(2)],
    gguf_get_n_tensors: ['int64_t', 'void *'],
    gguf_get_tensor_type: ['int', 'void *', 'int64_t'],
    gguf_find_tensor: ['int64_t', 'void *', 'str'],
    gguf_find_key: ['int64_t', 'void *', 'str'],
    gguf_get_val_u32: ['uint32_t', 'void *', 'int64_t'],
    gguf_get_val_str: ['str', 'void *', 'int64_t'],
    gguf_free: ['void', 'void *'],
  };
  return declare<LlamaApi>(libraries, signatures);
}

export function declareCpuApi(libraries: readonly LibraryHandle[]): CpuApi {
  const signatures: Record<keyof CpuApi, Signature> = {
    ggml_threadpool_new: ['void *', 'void *'],
    ggml_threadpool_free: ['void', 'void *'],
    ggml_threadpool_pause: ['void', 'void *'],
    ggml_get_type_traits_cpu: ['void *', 'int'],
  };
  return declare<CpuApi>(libraries, signatures);
}

function declare<Api>(libraries: readonly LibraryHandle[], signatures: Record<string, Signature>): Api {
  const entries = Object.entries(signatures).map(([name, [result, ...args]]) => [
    name,
    declareOne(libraries, name, result, args),
  ]);
  return Object.fromEntries(entries) as Api;
}

function declareOne(
  libraries: readonly LibraryHandle[],
  name: string,
  result: string | TypeObject,
  args: (string | TypeObject)[],
): (...args: unknown[]) => unknown {
  let cause: unknown;
  for (const library of libraries) {
    try {
      return library.func(name, result, args);
    } catch (error) {
      cause = error;
    }
  }
  throw new UnknownVersionError(`the llama.cpp library has no function ${name}`, { cause });
}
