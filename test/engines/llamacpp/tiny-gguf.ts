import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Values of enum ggml_type. */
const TYPES = { f32: 0, q4_0: 2 } as const;
const ALIGNMENT = 32;
const Q4_BLOCK = 32;
const Q4_BLOCK_BYTES = 18;

/** Shape of the Llama written below. */
export const TINY = {
  vocabSize: 96,
  hiddenSize: 64,
  heads: 4,
  kvHeads: 2,
  layers: 2,
  intermediateSize: 96,
  context: 1024,
};

interface Tensor {
  name: string;
  /** Row length first, as GGUF stores it. */
  shape: number[];
  type: keyof typeof TYPES;
}

/** A Llama of seeded random weights without a vocabulary of its own, in GGUF version 3; returns the artefact folder. */
export function writeTinyGguf(
  dir: string,
  type: keyof typeof TYPES = 'f32',
  slidingWindow: number | null = null,
): string {
  mkdirSync(dir, { recursive: true });
  writeFileSync(path.join(dir, 'model.gguf'), tinyGguf(type, slidingWindow));
  return dir;
}

export function tinyGguf(type: keyof typeof TYPES = 'f32', slidingWindow: number | null = null): Buffer {
  const { vocabSize, hiddenSize, heads, kvHeads, layers, intermediateSize, context } = TINY;
  const kvSize = (hiddenSize / heads) * kvHeads;
  const matrix = (name: string, columns: number, rows: number): Tensor => ({
    name,
    shape: [columns, rows],
    type,
  });
  const norm = (name: string): Tensor => ({ name, shape: [hiddenSize], type: 'f32' });
  const tensors = [
    matrix('token_embd.weight', hiddenSize, vocabSize),
    matrix('output.weight', hiddenSize, vocabSize),
    norm('output_norm.weight'),
    ...Array.from({ length: layers }, (_, i) => [
      norm(`blk.${i}.attn_norm.weight`),
      norm(`blk.${i}.ffn_norm.weight`),
      matrix(`blk.${i}.attn_q.weight`, hiddenSize, hiddenSize),
      matrix(`blk.${i}.attn_k.weight`, hiddenSize, kvSize),
      matrix(`blk.${i}.attn_v.weight`, hiddenSize, kvSize),
      matrix(`blk.${i}.attn_output.weight`, hiddenSize, hiddenSize),
      matrix(`blk.${i}.ffn_gate.weight`, hiddenSize, intermediateSize),
      matrix(`blk.${i}.ffn_up.weight`, hiddenSize, intermediateSize),
      matrix(`blk.${i}.ffn_down.weight`, intermediateSize, hiddenSize),
    ]).flat(),
  ];
  const metadata = [
    keyString('general.architecture', 'llama'),
    keyString('tokenizer.ggml.model', 'no_vocab'),
    keyU32('llama.vocab_size', vocabSize),
    keyU32('llama.context_length', context),
    keyU32('llama.embedding_length', hiddenSize),
    keyU32('llama.block_count', layers),
    keyU32('llama.feed_forward_length', intermediateSize),
    keyU32('llama.attention.head_count', heads),
    keyU32('llama.attention.head_count_kv', kvHeads),
    keyU32('llama.rope.dimension_count', hiddenSize / heads),
    keyF32('llama.attention.layer_norm_rms_epsilon', 1e-5),
    ...(slidingWindow === null ? [] : [keyU32('llama.attention.sliding_window', slidingWindow)]),
  ];
  const infos: Buffer[] = [];
  const data: Buffer[] = [];
  let offset = 0;
  const random = randomNumbers(7);
  for (const tensor of tensors) {
    infos.push(
      string(tensor.name),
      u32(tensor.shape.length),
      ...tensor.shape.map(u64),
      u32(TYPES[tensor.type]),
      u64(offset),
    );
    const bytes = pad(weights(tensor, random));
    data.push(bytes);
    offset += bytes.length;
  }
  const header = [
    Buffer.from('GGUF'),
    u32(3),
    u64(tensors.length),
    u64(metadata.length),
    ...metadata,
    ...infos,
  ];
  return Buffer.concat([pad(Buffer.concat(header)), ...data]);
}

function weights(tensor: Tensor, random: () => number): Buffer {
  const elements = tensor.shape.reduce((product, size) => product * size, 1);
  if (tensor.type === 'f32') {
    const isNorm = tensor.shape.length === 1;
    return Buffer.from(Float32Array.from({ length: elements }, () => (isNorm ? 1 : random() - 0.5)).buffer);
  }
  const blocks = elements / Q4_BLOCK;
  const bytes = Buffer.from(
    Array.from({ length: blocks * Q4_BLOCK_BYTES }, () => Math.floor(random() * 256)),
  );
  // Every block's scale is 2^-4 in half precision.
  for (let block = 0; block < blocks; block++) bytes.writeUInt16LE(0x2c00, block * Q4_BLOCK_BYTES);
  return bytes;
}

/** Uniform in [0, 1), the same on every machine (a 32-bit linear congruential generator). */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u64 = (value: number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
const string = (text: string) => Buffer.concat([u64(text.length), Buffer.from(text)]);
const keyString = (key: string, value: string) => Buffer.concat([string(key), u32(8), string(value)]);
const keyU32 = (key: string, value: number) => Buffer.concat([string(key), u32(4), u32(value)]);
const keyF32 = (key: string, value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([string(key), u32(6), bytes]);
};
const pad = (bytes: Buffer) =>
  Buffer.concat([bytes, Buffer.alloc((ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT)]);
