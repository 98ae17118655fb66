import type { MemoryTraits } from '../engines/engine.ts';
import type { ArtefactKind } from '../schema/vocabulary.ts';

const NONE: MemoryTraits = {
  processMiB: 90,
  int4Copies: 1,
  embedding: 'read',
  kvCopies: 1,
  kvPadding: 1,
  chunkTokens: Number.POSITIVE_INFINITY,
  attentionScores: false,
  activationsFactor: 1,
  hostMiB: 0,
  compile: null,
};

/**
 * What engines that load one kind of artefact have in common, measured by `npm run bench:memory`; an engine's meta says
 * where it differs.
 */
export const TRAITS: Readonly<Record<ArtefactKind, MemoryTraits>> = {
  none: NONE,
  /** PyTorch: Python with torch and transformers; weights mapped from safetensors; a cache that grows by concatenation. */
  checkpoint: { ...NONE, processMiB: 348, embedding: 'mapped', kvCopies: 2, activationsFactor: 1.3 },
  /** ONNX Runtime in Node: matrices are packed anew beside those of the file, scores of one layer are materialised. */
  onnx: {
    ...NONE,
    processMiB: 93,
    int4Copies: 2,
    embedding: 'mapped',
    attentionScores: true,
    activationsFactor: 1.3,
  },
  /** llama.cpp in Node: int4 matrices are repacked for the CPU; 256 KV cells at least; 512 tokens at once. */
  gguf: { ...NONE, processMiB: 76, int4Copies: 2, kvPadding: 256, chunkTokens: 512 },
};
