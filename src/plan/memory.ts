import type { EngineMeta } from '../engines/engine.ts';
import { STORAGE } from '../engines/storage.ts';
import type { Cell } from '../schema/cell.ts';
import type { ModelShape } from '../schema/model.ts';
import type { ArtefactKind, Precision } from '../schema/vocabulary.ts';

const BYTES_PER_MIB = 2 ** 20;

/** Resident MiB of the engine's process before any model: Node or Python with its libraries, threads and buffers. */
const BASE_MIB: Record<ArtefactKind, number> = { checkpoint: 450, onnx: 130, gguf: 110, none: 90 };

/** A compiler's own process state and generated code, on top. */
const COMPILER_MIB = 300;
/** Graphs of one cell that each pack a copy of the matrices: prefill's and decode's. int4 is packed as it is. */
const COMPILED_COPIES = 2;

/** Most prompt tokens whose activations are alive at once; engines that cut a prompt into chunks hold one chunk's. */
const CHUNK_TOKENS: Record<ArtefactKind, number> = {
  checkpoint: Number.POSITIVE_INFINITY,
  onnx: Number.POSITIVE_INFINITY,
  gguf: 512,
  none: 0,
};

export interface MemoryEstimate {
  readonly weightsMiB: number;
  readonly kvMiB: number;
  readonly logitsMiB: number;
  readonly activationsMiB: number;
  readonly baseMiB: number;
  /** base + weights + the larger of what loading and what running hold besides. */
  readonly peakMiB: number;
}

/**
 * Predicted peak resident memory of a session while it runs this cell, in MiB.
 *
 * - weights: matrices × bytes + embedding table × bytes, by artefact kind and precision. A tied head is counted once
 *   more when it is stored narrower than the embedding, and in ONNX graphs, because it is then a matrix of its own. A
 *   compiler packs them once more for each of its graphs.
 * - KV: 2 · layers · kvHeads · headSize · batch · (prompt + generate) · bytes.
 * - logits: batch · vocabulary · 4 bytes, in the engine and once more in the host.
 * - activations of prefill: tokens alive · (4 · hidden + 3 · intermediate) · 4 bytes, and for ONNX, whose CPU attention
 *   materialises them, batch · heads · prompt² · 4 bytes of scores of one layer.
 */
export function predictMemory(cell: Cell, shape: ModelShape, meta: EngineMeta): MemoryEstimate {
  const baseMiB = BASE_MIB[meta.artefact] + (meta.compiles ? COMPILER_MIB : 0);
  if (meta.artefact === 'none') {
    return { weightsMiB: 0, kvMiB: 0, logitsMiB: 0, activationsMiB: 0, baseMiB, peakMiB: baseMiB };
  }
  const storage = STORAGE[meta.artefact][cell.precision];
  const { batchSize, generate } = cell;
  const prompt = cell.promptLength.length;
  const tokens = Math.min(batchSize * prompt, Math.max(CHUNK_TOKENS[meta.artefact], batchSize));
  const scores = meta.artefact === 'onnx' ? batchSize * shape.heads * prompt * prompt * 4 : 0;
  const copies = meta.compiles && cell.precision !== 'int4' ? COMPILED_COPIES : 0;
  const matrices = (shape.parameters - shape.vocabSize * shape.hiddenSize) * storage.matrix;
  const weights = weightBytes(cell.precision, shape, meta.artefact) + copies * matrices;
  const kv = kvBytesPerToken(cell.precision, shape, meta.artefact) * batchSize * (prompt + generate);
  const logits = 2 * batchSize * shape.vocabSize * 4;
  const activations = tokens * (4 * shape.hiddenSize + 3 * shape.intermediateSize) * 4 + scores;
  const loading = shape.parameters * storage.loading;
  return {
    weightsMiB: weights / BYTES_PER_MIB,
    kvMiB: kv / BYTES_PER_MIB,
    logitsMiB: logits / BYTES_PER_MIB,
    activationsMiB: activations / BYTES_PER_MIB,
    baseMiB,
    peakMiB: baseMiB + (weights + Math.max(loading, kv + logits + activations)) / BYTES_PER_MIB,
  };
}

/** Bytes of the weights as an engine that loads this kind of artefact holds them; 0 for engines without any. */
export function weightBytes(precision: Precision, shape: ModelShape, kind: ArtefactKind): number {
  if (kind === 'none') return 0;
  const { matrix, embedding } = STORAGE[kind][precision];
  const table = shape.vocabSize * shape.hiddenSize;
  // ONNX graphs have a tied head written out.
  const apart = shape.tiedEmbeddings && (kind === 'onnx' || matrix !== embedding);
  const headApart = apart ? table * matrix : 0;
  return (shape.parameters - table) * matrix + table * embedding + headApart;
}

/** Bytes that one token of one sequence takes in the KV cache. */
export function kvBytesPerToken(precision: Precision, shape: ModelShape, kind: ArtefactKind): number {
  if (kind === 'none') return 0;
  return 2 * shape.layers * shape.kvHeads * shape.headSize * STORAGE[kind][precision].kv;
}
