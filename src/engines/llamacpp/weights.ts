import path from 'node:path';
import { EngineError } from '../../errors.ts';
import type { Pointer } from './capi/bindings.ts';
import type { Library } from './capi/library.ts';

/** Byte offset of `vec_dot_type` in struct ggml_type_traits_cpu, behind two function pointers. */
const VEC_DOT_TYPE_OFFSET = 16;
const F32 = 0;

export interface WeightFacts {
  /** Tensors of each type, most first: "q4_0 × 15, f32 × 5". */
  readonly weightTypes: string;
  /** What matrix products of those weights take their activations as: "q4_0 × q8_0". */
  readonly computeTypes: string;
  readonly embeddingType: string;
  /** Of the matrix before the logits: the embedding's own table where the file has no other. */
  readonly headType: string;
}

export interface GgufFile {
  readonly weights: WeightFacts;
  /** Tokens that the attention should see, as the file says; null where it should see all. */
  readonly slidingWindow: number | null;
}

/**
 * Reads the tensor table of a GGUF file through the library's own parser, and from its CPU backend the type to which
 * activations are converted before a product with each weight type.
 * @throws EngineError `failed` when the file is not GGUF.
 */
export function readGgufFile(library: Library, file: string): GgufFile {
  const { api } = library;
  library.log.takeErrors();
  // no_alloc = true, ctx = NULL: metadata alone.
  const gguf = api.gguf_init_from_file(file, { words: BigUint64Array.of(1n, 0n) });
  if (gguf === null) {
    const logged = library.log.takeErrors();
    throw new EngineError(
      'failed',
      `${path.basename(file)} is not a GGUF file that llama.cpp can read: ${logged}`,
    );
  }
  try {
    return { weights: weightFacts(library, gguf), slidingWindow: slidingWindow(library, gguf) };
  } finally {
    api.gguf_free(gguf);
  }
}

function weightFacts(library: Library, gguf: Pointer): WeightFacts {
  const { api } = library;
  const counts = new Map<number, number>();
  const tensors = Number(api.gguf_get_n_tensors(gguf));
  for (let i = 0; i < tensors; i++) {
    const type = api.gguf_get_tensor_type(gguf, i);
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  const typeOf = (name: string): string | null => {
    const index = Number(api.gguf_find_tensor(gguf, name));
    return index < 0 ? null : api.ggml_type_name(api.gguf_get_tensor_type(gguf, index));
  };
  const byCount = [...counts].sort(([, a], [, b]) => b - a);
  const embeddingType = typeOf('token_embd.weight') ?? 'none';
  return {
    weightTypes: byCount.map(([type, count]) => `${api.ggml_type_name(type)} × ${count}`).join(', '),
    computeTypes: byCount
      .map(([type]) => `${api.ggml_type_name(type)} × ${activationType(library, type)}`)
      .join(', '),
    embeddingType,
    headType: typeOf('output.weight') ?? embeddingType,
  };
}

function slidingWindow({ api }: Library, gguf: Pointer): number | null {
  const architecture = Number(api.gguf_find_key(gguf, 'general.architecture'));
  if (architecture < 0) return null;
  const key = `${api.gguf_get_val_str(gguf, architecture)}.attention.sliding_window`;
  const window = Number(api.gguf_find_key(gguf, key));
  return window < 0 ? null : api.gguf_get_val_u32(gguf, window);
}

function activationType(library: Library, weightType: number): string {
  const traits = library.cpu.ggml_get_type_traits_cpu(weightType);
  const type = traits === null ? F32 : library.int32At(traits, VEC_DOT_TYPE_OFFSET);
  return library.api.ggml_type_name(type);
}
