import type { WeightStorage } from '../schema/manifest.ts';
import { type ArtefactKind, PRECISIONS, type Precision } from '../schema/vocabulary.ts';

/** How wide an engine keeps a model in memory, by the kind of artefact that it loads. */
export interface Storage {
  /** Bytes of a parameter of a matrix that is multiplied with (linear layers and head). */
  readonly matrix: number;
  /** Bytes of a parameter of the embedding table, which most engines keep wider. */
  readonly embedding: number;
  /** Bytes of one element of the KV cache. */
  readonly kv: number;
  /** Bytes of one element of what a layer computes. */
  readonly activation: number;
  /** Bytes that loading holds of a parameter besides the weights as they run. */
  readonly loading: number;
}

const wide = (bytes: number, activation: number): Storage => ({
  matrix: bytes,
  embedding: bytes,
  kv: bytes,
  activation,
  loading: 0,
});

/**
 * How each kind of artefact is held in memory. int4 is 4 bits and a scale per block of 32: 16 bits of scale in GGUF's
 * Q4_0 (18 bytes per block), 32 in MatMulNBits and in PyTorch's packed form (20). A checkpoint's int4 is stored as fp32
 * and packed after loading.
 */
export const STORAGE: Record<Exclude<ArtefactKind, 'none'>, Record<Precision, Storage>> = {
  checkpoint: {
    fp32: wide(4, 4),
    fp16: wide(2, 2),
    bf16: wide(2, 2),
    int4: { matrix: 20 / 32, embedding: 2, kv: 2, activation: 2, loading: 4 },
  },
  onnx: {
    fp32: wide(4, 4),
    fp16: wide(2, 2),
    bf16: wide(2, 2),
    int4: { matrix: 20 / 32, embedding: 4, kv: 4, activation: 4, loading: 0 },
  },
  gguf: {
    fp32: wide(4, 4),
    fp16: wide(2, 4),
    bf16: wide(2, 4),
    int4: { matrix: 18 / 32, embedding: 4, kv: 2, activation: 4, loading: 0 },
  },
};

/** What a report needs to know of it; null for engines that load no weights. */
export function weightStorage(kind: ArtefactKind, precision: Precision): WeightStorage | null {
  if (kind === 'none') return null;
  const { matrix, kv } = STORAGE[kind][precision];
  return { matrixBytes: matrix, kvBytes: kv };
}

export function weightStorages(kind: ArtefactKind): Record<Precision, WeightStorage> | null {
  if (kind === 'none') return null;
  const entries = PRECISIONS.map((precision) => [precision, weightStorage(kind, precision)] as const);
  return Object.fromEntries(entries) as Record<Precision, WeightStorage>;
}
