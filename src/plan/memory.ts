import type { EngineMeta, MemoryTraits } from '../engines/engine.ts';
import { STORAGE } from '../engines/storage.ts';
import { computedIn } from '../engines/support.ts';
import type { Cell } from '../schema/cell.ts';
import type { ModelShape } from '../schema/model.ts';
import type { ArtefactKind, Precision } from '../schema/vocabulary.ts';
import { TRAITS } from './memory-traits.ts';

const BYTES_PER_MIB = 2 ** 20;

/** Linux maps this much of a file around a page that is touched. */
const MAPPED_AROUND_BYTES = 64 * 1024;

export interface MemoryEstimate {
  readonly weightsMiB: number;
  readonly kvMiB: number;
  readonly logitsMiB: number;
  readonly activationsMiB: number;
  readonly baseMiB: number;
  /** The higher of loading and running; the parts above are those of running. */
  readonly peakMiB: number;
}

/**
 * Predicted peak resident memory of a session while it runs this cell, in MiB: the higher of loading and running.
 *
 * - base: the process with its libraries, and a compiler's.
 * - weights: matrices × bytes, once more where they are packed anew or are constants of compiled graphs, and the embedding
 *   table × bytes. A tied head is counted once more when it is stored narrower than the embedding, and in ONNX graphs,
 *   because it is then a matrix of its own. Of a mapped table, running holds what n tokens touch: table · (1 − exp(−n · 64 KiB / table)), the
 *   expected coverage of independent draws.
 * - KV: 2 · layers · kvHeads · headSize · batch · (prompt + generate) · bytes.
 * - logits: batch · vocabulary · 4 bytes, in the engine and once more in the host.
 * - activations of prefill: tokens alive · (4 · hidden + 3 · intermediate) · bytes, and where attention materialises them,
 *   batch · heads · prompt² · 4 bytes of scores of one layer.
 *
 * `npm run bench:memory` compares it with what is measured.
 */
export function predictMemory(cell: Cell, shape: ModelShape, meta: EngineMeta): MemoryEstimate {
  const traits: MemoryTraits = { ...TRAITS[meta.artefact], ...meta.memory };
  const baseMiB = traits.processMiB + (traits.compile?.processMiB ?? 0);
  if (meta.artefact === 'none') {
    return { weightsMiB: 0, kvMiB: 0, logitsMiB: 0, activationsMiB: 0, baseMiB, peakMiB: baseMiB };
  }
  const precision = computedIn(meta, cell);
  const storage = STORAGE[meta.artefact][precision];
  const { batchSize, generate } = cell;
  const prompt = cell.promptLength.length;
  const table = shape.vocabSize * shape.hiddenSize * storage.embedding;
  const loadedMatrices =
    (precision === 'int4' ? traits.int4Copies : 1) * (weightBytes(precision, shape, meta.artefact) - table);
  // What int4 layers have packed, a graph takes as it is.
  const constants = precision === 'int4' ? 0 : loadedMatrices * (traits.compile?.weightCopies ?? 0);
  const matrices = loadedMatrices + constants;
  const cells = Math.ceil((prompt + generate) / traits.kvPadding) * traits.kvPadding;
  const kv = traits.kvCopies * kvBytesPerToken(precision, shape, meta.artefact) * batchSize * cells;
  const logits = 2 * batchSize * shape.vocabSize * 4;
  const tokens = Math.min(batchSize * prompt, Math.max(traits.chunkTokens, batchSize));
  const layer = tokens * (4 * shape.hiddenSize + 3 * shape.intermediateSize) * storage.activation;
  const scores = traits.attentionScores ? batchSize * shape.heads * prompt * prompt * 4 : 0;
  const activations = traits.activationsFactor * (layer + scores);
  const mapped = traits.embedding === 'mapped';
  const touched = mapped ? touchedBytes(table, batchSize * (prompt + generate)) : table;
  // Packing int4 matrices leaves a wide table that is mapped in its file; where all is wide, loading goes through all.
  const tableLoaded = mapped && precision === 'int4' ? 0 : table;
  const loading = loadedMatrices + tableLoaded + shape.parameters * storage.loading;
  const running = matrices + touched + kv + logits + activations + traits.hostMiB * BYTES_PER_MIB;
  return {
    weightsMiB: (matrices + touched) / BYTES_PER_MIB,
    kvMiB: kv / BYTES_PER_MIB,
    logitsMiB: logits / BYTES_PER_MIB,
    activationsMiB: activations / BYTES_PER_MIB,
    baseMiB,
    // Nothing is compiled before all is loaded.
    peakMiB: Math.max(traits.processMiB + loading / BYTES_PER_MIB, baseMiB + running / BYTES_PER_MIB),
  };
}

function touchedBytes(table: number, tokens: number): number {
  return table * (1 - Math.exp((-tokens * MAPPED_AROUND_BYTES) / table));
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
