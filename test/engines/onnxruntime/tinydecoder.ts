import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as onnx from '../../../src/engines/onnxruntime/onnxbytes.ts';

/** One attention layer, weights from a fixed generator: small enough to compute by hand, see `referenceLogits`. */
export const VOCAB = 29;
export const HEADS = 2;
export const HEAD = 16;
export const CONTEXT = 64;
const HIDDEN = HEADS * HEAD;
const QKV = (HEADS + 2) * HEAD;

function drawn(count: number, seed: number, scale: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * scale;
  });
}
const EMBEDDING = drawn(VOCAB * HIDDEN, 1, 1);
const QKV_WEIGHT = drawn(HIDDEN * QKV, 2, 0.6);
const HEAD_WEIGHT = drawn(HIDDEN * VOCAB, 3, 0.5);
const angle = (i: number) => Math.floor(i / (HEAD / 2)) * 10 ** (-(i % (HEAD / 2)) / 2);
const COS = Float32Array.from({ length: (CONTEXT * HEAD) / 2 }, (_, i) => Math.cos(angle(i)));
const SIN = Float32Array.from({ length: (CONTEXT * HEAD) / 2 }, (_, i) => Math.sin(angle(i)));

export interface TinyDecoder {
  logits?: 'index' | 'last' | 'all';
  /** Element type of ids, mask and index. */
  integers?: typeof onnx.INT64 | typeof onnx.INT32;
  halfLogits?: boolean;
  positionIds?: boolean;
  /** Location of the embedding's data, relative to the model; without it the data is inside the model. */
  external?: string;
  attention?: string;
  headSizeStated?: boolean;
}

/** Writes dir/model.onnx in the form that onnxruntime-genai's model builder gives a decoder. */
export function writeTinyDecoder(dir: string, options: TinyDecoder = {}): void {
  const { logits = 'index', integers = onnx.INT64, halfLogits = false, external } = options;
  const { attention = 'GroupQueryAttention', headSizeStated = true, positionIds = false } = options;
  const index = (name: string, ...values: number[]) =>
    onnx.tensor(name, onnx.INT64, [values.length], BigInt64Array.from(values, BigInt));
  const rows = { index: 'chosen', last: 'chosen', all: 'attended' }[logits];
  const choose = {
    index: [
      onnx.node('Cast', ['logits_index'], ['logits_index64'], { to: onnx.INT64 }),
      onnx.node('GatherND', ['attended', 'logits_index64'], ['row'], { batch_dims: 1 }),
      onnx.node('Unsqueeze', ['row', 'one'], ['chosen']),
    ],
    last: [onnx.node('Gather', ['attended', 'minus_one'], ['chosen'], { axis: 1 })],
    all: [],
  }[logits];
  const head = headSizeStated ? HEAD : 'head';
  const cache = (time: string) => ['batch', 1, time, head];
  const embeddingDims = [VOCAB, HIDDEN];
  mkdirSync(dir, { recursive: true });
  if (external !== undefined) {
    mkdirSync(dirname(join(dir, external)), { recursive: true });
    writeFileSync(join(dir, external), Buffer.from(EMBEDDING.buffer));
  }
  const bytes = onnx.model(
    onnx.node('Gather', ['embedding', 'input_ids'], ['x']),
    onnx.node('MatMul', ['x', 'qkv_weight'], ['qkv']),
    onnx.node('Cast', ['attention_mask'], ['mask64'], { to: onnx.INT64 }),
    onnx.node('ReduceSum', ['mask64', 'one'], ['lengths']),
    onnx.node('Sub', ['lengths', 'one'], ['past_lengths']),
    onnx.node('Cast', ['past_lengths'], ['seqlens_k'], { to: onnx.INT32 }),
    onnx.node('Shape', ['attention_mask'], ['mask_shape'], { start: 1 }),
    onnx.node('Cast', ['mask_shape'], ['total'], { to: onnx.INT32 }),
    onnx.node(
      attention,
      [
        'qkv',
        '',
        '',
        'past_key_values.0.key',
        'past_key_values.0.value',
        'seqlens_k',
        'total',
        'cos',
        'sin',
        ...(positionIds ? ['position_ids'] : []),
      ],
      ['attention', 'present.0.key', 'present.0.value'],
      { num_heads: HEADS, kv_num_heads: 1, do_rotary: 1 },
      'com.microsoft',
    ),
    onnx.node('Add', ['x', 'attention'], ['attended']),
    ...choose,
    onnx.node('MatMul', [rows, 'head_weight'], [halfLogits ? 'full_logits' : 'logits']),
    ...(halfLogits ? [onnx.node('Cast', ['full_logits'], ['logits'], { to: onnx.FLOAT16 })] : []),
    external === undefined
      ? onnx.tensor('embedding', onnx.FLOAT, embeddingDims, EMBEDDING)
      : onnx.externalTensor('embedding', onnx.FLOAT, embeddingDims, external, EMBEDDING.byteLength),
    onnx.tensor('qkv_weight', onnx.FLOAT, [HIDDEN, QKV], QKV_WEIGHT),
    onnx.tensor('head_weight', onnx.FLOAT, [HIDDEN, VOCAB], HEAD_WEIGHT),
    onnx.tensor('cos', onnx.FLOAT, [CONTEXT, HEAD / 2], COS),
    onnx.tensor('sin', onnx.FLOAT, [CONTEXT, HEAD / 2], SIN),
    index('one', 1),
    index('minus_one', -1),
    onnx.input('input_ids', integers, ['batch', 'sequence']),
    onnx.input('attention_mask', integers, ['batch', 'total']),
    ...(positionIds ? [onnx.input('position_ids', integers, ['batch', 'sequence'])] : []),
    ...(logits === 'index' ? [onnx.input('logits_index', integers, ['batch', 1])] : []),
    onnx.input('past_key_values.0.key', onnx.FLOAT, cache('past')),
    onnx.input('past_key_values.0.value', onnx.FLOAT, cache('past')),
    onnx.output('logits', halfLogits ? onnx.FLOAT16 : onnx.FLOAT, [
      'batch',
      logits === 'all' ? 'sequence' : 1,
      VOCAB,
    ]),
    onnx.output('present.0.key', onnx.FLOAT, cache('total')),
    onnx.output('present.0.value', onnx.FLOAT, cache('total')),
  );
  writeFileSync(join(dir, 'model.onnx'), bytes);
}

const times = (x: ArrayLike<number>, weight: Float32Array, columns: number): number[] =>
  Array.from({ length: columns }, (_, c) => {
    let sum = 0;
    for (let r = 0; r < x.length; r++) sum += x[r]! * weight[r * columns + c]!;
    return sum;
  });

function rotated(x: number[], position: number): number[] {
  const half = HEAD / 2;
  return x.map((value, i) => {
    const at = position * half + (i % half);
    const partner = i < half ? -x[i + half]! : x[i - half]!;
    return value * COS[at]! + partner * SIN[at]!;
  });
}

/** Logits after the last of `ids`, computed anew from the first, in float64. */
export function referenceLogits(ids: readonly number[]): number[] {
  const embedded = ids.map((id) => EMBEDDING.subarray(id * HIDDEN, (id + 1) * HIDDEN));
  const qkv = embedded.map((x) => times(x, QKV_WEIGHT, QKV));
  const head = (row: number[], n: number) => row.slice(n * HEAD, (n + 1) * HEAD);
  const last = ids.length - 1;
  const attended: number[] = [];
  for (let h = 0; h < HEADS; h++) {
    const query = rotated(head(qkv[last]!, h), last);
    const scores = qkv.map((row, t) => {
      const key = rotated(head(row, HEADS), t);
      return Math.exp(query.reduce((sum, q, i) => sum + q * key[i]!, 0) / Math.sqrt(HEAD));
    });
    const total = scores.reduce((sum, s) => sum + s, 0);
    for (let i = 0; i < HEAD; i++) {
      attended.push(qkv.reduce((sum, row, t) => sum + (scores[t]! / total) * head(row, HEADS + 1)[i]!, 0));
    }
  }
  return times(
    attended.map((a, i) => a + embedded[last]![i]!),
    HEAD_WEIGHT,
    VOCAB,
  );
}

/** Greedy continuation by the reference. */
export function referenceTokens(prompt: readonly number[], count: number): number[] {
  const ids = [...prompt];
  for (let k = 0; k < count; k++) {
    const logits = referenceLogits(ids);
    ids.push(logits.indexOf(Math.max(...logits)));
  }
  return ids.slice(prompt.length);
}
