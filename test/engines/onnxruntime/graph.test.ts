import { expect, test } from 'vitest';
import type { TensorInfo } from '../../../src/engines/onnxruntime/capi/session.ts';
import type { ElementType } from '../../../src/engines/onnxruntime/capi/table.ts';
import { readGraph } from '../../../src/engines/onnxruntime/graph.ts';

const info = (name: string, elementType: ElementType, ...dimensions: number[]): TensorInfo => ({
  name,
  elementType,
  dimensions,
});
const INPUTS = [
  info('input_ids', 'int64', -1, -1),
  info('attention_mask', 'int64', -1, -1),
  info('past_key_values.1.key', 'float32', -1, 2, -1, 64),
  info('past_key_values.0.value', 'float16', -1, 2, -1, 64),
];
const OUTPUTS = [
  info('logits', 'float32', -1, 1, 500),
  info('present.0.value', 'float16', -1, 2, -1, 64),
  info('present.1.key', 'float32', -1, 2, -1, 64),
];
const without = (list: TensorInfo[], name: string) => list.filter((i) => i.name !== name);
const read = (inputs = INPUTS, outputs = OUTPUTS) => readGraph('/nonexistent', inputs, outputs);

test('each cache input is paired with the output of its layer and kind, whatever the order', () => {
  expect(read().cache).toEqual([
    {
      past: 'past_key_values.1.key',
      present: 'present.1.key',
      elementType: 'float32',
      kvHeads: 2,
      headSize: 64,
    },
    {
      past: 'past_key_values.0.value',
      present: 'present.0.value',
      elementType: 'float16',
      kvHeads: 2,
      headSize: 64,
    },
  ]);
});

test('the logits scope follows from logits_index, else from the shape', () => {
  expect(read().logits.scope).toBe('last');
  expect(read([...INPUTS, info('logits_index', 'int64', -1, 1)]).logits.scope).toBe('index');
  const all = [info('logits', 'float32', -1, -1, 500), ...without(OUTPUTS, 'logits')];
  expect(read(INPUTS, all).logits.scope).toBe('all');
  expect(read().vocabSize).toBe(500);
});

test.each<[string, TensorInfo[], TensorInfo[], RegExp]>([
  ['no ids', without(INPUTS, 'input_ids'), OUTPUTS, /no input input_ids/],
  ['no mask', without(INPUTS, 'attention_mask'), OUTPUTS, /no input attention_mask/],
  ['no cache', INPUTS.slice(0, 2), OUTPUTS, /no KV cache/],
  ['no logits', INPUTS, without(OUTPUTS, 'logits'), /no output logits/],
  ['a cache without its output', INPUTS, without(OUTPUTS, 'present.1.key'), /past_key_values\.1\.key/],
  ['an unknown input', [...INPUTS, info('pixel_values', 'float32', -1)], OUTPUTS, /pixel_values/],
  ['ids of another type', [info('input_ids', 'float32', -1, -1), ...INPUTS.slice(1)], OUTPUTS, /float32/],
  ['integer logits', INPUTS, [info('logits', 'int64', -1, 1, 5), ...OUTPUTS.slice(1)], /logits as int64/],
  [
    'a cache of unknown heads',
    [...INPUTS, info('past.9.key', 'float32', -1, -1, -1, 64)],
    [...OUTPUTS, info('present.9.key', 'float32', -1, -1, -1, 64)],
    /number of heads of past\.9\.key/,
  ],
])('a graph with %s is unsupported', (_name, inputs, outputs, message) => {
  expect(() => read(inputs, outputs)).toThrow(
    expect.objectContaining({ code: 'unsupported', message: expect.stringMatching(message) }),
  );
});

test('a vocabulary left open is not guessed', () => {
  const outputs = [info('logits', 'float32', -1, 1, -1), ...without(OUTPUTS, 'logits')];
  expect(() => read(INPUTS, outputs)).toThrow(/vocab_size open.*genai_config/);
});
