import { expect, test } from 'vitest';
import { openLibrary } from '../../../src/engines/onnxruntime/capi/library.ts';
import { packagedLibrary } from '../../../src/engines/onnxruntime/capi/location.ts';
import { probeKernel } from '../../../src/engines/onnxruntime/capi/quantized-kernel.ts';
import { activationsSeen, kernelProbe } from '../../../src/engines/onnxruntime/quantized-kernel.ts';

const SETTINGS = {
  intraOpThreads: 1,
  interOpThreads: 1,
  graphOptimizationLevel: 'all',
  config: {},
  provider: null,
} as const;

test.each([
  [32, 4, 'int8'],
  [128, 4, 'int8'],
  [32, 1, 'float32'],
  [32, 0, 'float32'],
] as const)('blocks of %i at accuracy level %i multiply with %s', async (blockSize, accuracyLevel, seen) => {
  const library = await openLibrary(packagedLibrary().path);
  expect(probeKernel(library, { bits: 4, blockSize, accuracyLevel }, SETTINGS)).toBe(seen);
});

test('other widths are not looked at, and products of neither kind are an error', () => {
  expect(kernelProbe({ bits: 8, blockSize: 32, accuracyLevel: 4 })).toBeNull();
  expect(activationsSeen(Float32Array.of(2 ** -9, 2 ** -9))).toBe('float32');
  expect(activationsSeen(Float32Array.of(0, 0))).toBe('int8');
  expect(() => activationsSeen(Float32Array.of(1, 0))).toThrow('multiplies 0.001953125 by 1 to 1');
  expect(() => activationsSeen(Float32Array.of(0, 2 ** -9))).toThrow('by 1 to 0');
});
