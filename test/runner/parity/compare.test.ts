import { describe, expect, it } from 'vitest';
import { compareLogits } from '../../../src/runner/parity/compare.ts';

const reference = Float32Array.of(0, 1, 2, 5, 4, 0, -1, -3);

describe('compareLogits', () => {
  it('finds no error in equal logits', () => {
    expect(compareLogits(reference, reference, 4)).toEqual({
      normalisedError: 0,
      meanNormalisedError: 0,
      systematicError: 0,
      klDivergence: 0,
      meanKlDivergence: 0,
      top1Agreement: 1,
      decidedPositions: 2,
    });
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

  it('takes the divergence of the softmax in nats', () => {
    // p = (1/2, 1/2), q = (1/4, 3/4): KL = log 2 − log(3)/2.
    const { klDivergence, meanKlDivergence } = compareLogits(
      Float32Array.of(0, 1e-4, 0, 1e-4),
      Float32Array.of(0, Math.log(3), 0, 1e-4),
      2,
    );
    expect(klDivergence).toBeCloseTo(Math.log(2) - Math.log(3) / 2, 3);
    expect(meanKlDivergence).toBeCloseTo(klDivergence / 2, 6);
  });

  it('tells an error that all positions share from as large a one that they do not', () => {
    const positions = 40;
    const vocab = 64;
    let state = 1;
    const noise = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 31 - 1;
    };
    const logits = Float32Array.from({ length: positions * vocab }, noise);
    const direction = Array.from({ length: vocab }, noise);
    const shared = logits.map((value, i) => value + 0.1 * direction[i % vocab]!);
    const rounded = logits.map((value) => value + 0.1 * noise());
    const together = compareLogits(logits, shared, vocab);
    const apart = compareLogits(logits, rounded, vocab);
    expect(together.meanNormalisedError / apart.meanNormalisedError).toBeCloseTo(1, 0);
    expect(together.systematicError / together.meanNormalisedError).toBeGreaterThan(0.99);
    expect(apart.systematicError / apart.meanNormalisedError).toBeLessThan(0.4);
  });

  it('refuses other shapes', () => {
    expect(() => compareLogits(reference, reference.subarray(1), 4)).toThrow(RangeError);
  });
});
