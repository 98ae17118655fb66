import { describe, expect, it } from 'vitest';
import { compareLogits } from '../../../src/runner/parity/compare.ts';

const reference = Float32Array.of(0, 1, 2, 5, 4, 0, -1, -3);

describe('compareLogits', () => {
  it('finds no error in equal logits', () => {
    expect(compareLogits(reference, reference, 4)).toEqual({ normalisedError: 0, top1Agreement: 1 });
  });

  it('normalises by the spread of the reference and reports the worst position', () => {
    const candidate = reference.map((value, i) => (i < 4 ? value : value + (i % 2 === 0 ? 0.1 : -0.1)));
    const row = [...reference.subarray(4)];
    const mean = row.reduce((a, b) => a + b) / 4;
    const deviation = Math.sqrt(row.reduce((total, value) => total + (value - mean) ** 2, 0) / 4);
    expect(compareLogits(reference, candidate, 4).normalisedError).toBeCloseTo(0.1 / deviation, 6);
  });

  it('sees exchanged rows, an infinite value and NaN', () => {
    const exchanged = Float32Array.of(...reference.subarray(4), ...reference.subarray(0, 4));
    expect(compareLogits(reference, exchanged, 4).normalisedError).toBeGreaterThan(1);
    for (const broken of [Number.NaN, Infinity]) {
      expect(compareLogits(reference, reference.with(3, broken), 4).normalisedError).toBe(Infinity);
      expect(compareLogits(reference, reference.with(7, broken), 4).normalisedError).toBe(Infinity);
    }
  });

  it('counts agreement only where the reference leads by more than the error', () => {
    const close = Float32Array.of(0, 1, 1.05, 0.9);
    const flipped = Float32Array.of(0, 1.1, 1, 0.9);
    expect(compareLogits(close, flipped, 4).top1Agreement).toBe(1);
    expect(compareLogits(Float32Array.of(9, 0, 0, 0), Float32Array.of(9, 0, 0, 0.5), 4).top1Agreement).toBe(
      1,
    );
  });

  it('refuses other shapes', () => {
    expect(() => compareLogits(reference, reference.subarray(1), 4)).toThrow(RangeError);
  });
});
