import { expect, it } from 'vitest';
import { didYouMean, nearest } from '../../src/config/suggest.ts';

const ENGINES = ['onnxruntime', 'pytorch-eager', 'pytorch-compile', 'llamacpp', 'genai'];

it.each([
  ['onnx', ['onnxruntime']],
  ['llama.cpp', ['llamacpp']],
  ['LlamaCPP', ['llamacpp']],
  ['pytorch', ['pytorch-compile', 'pytorch-eager']],
  ['pytorch_eager', ['pytorch-eager']],
  ['onxruntime', ['onnxruntime']],
  ['vllm', []],
  ['x'.repeat(1_000_000), []],
])('%s', (typed, expected) => {
  expect(nearest(typed, ENGINES)).toEqual(expected);
});

it('takes no short name for a near one', () => {
  expect(didYouMean('gpu', ['cpu', 'cuda', 'webgpu'])).toBe('');
  expect(didYouMean('tpu', ['cpu', 'cuda'])).toBe('');
});
