import { expect, test } from 'vitest';
import { ratioOfMeans } from '../../src/stats/fieller.ts';

const X = [10.2, 9.8, 10.5, 10.1, 9.9, 10.0];
const Y = [9.5, 9.6, 9.1, 9.7, 9.3, 9.4, 9.2];

test('the interval is where (x̄ − ρȳ)² meets t²·(v_x + ρ²v_y), as SciPy solves it', () => {
  // scipy 1.17.1: brentq on that equation with t.ppf(0.975, 10)
  const { ratio, interval } = ratioOfMeans(X, Y, 0.95);
  expect(Math.abs(ratio - 1.072695035460993)).toBeLessThan(1e-12);
  expect(Math.abs(interval![0] - 1.0413319097584561)).toBeLessThan(1e-9);
  expect(Math.abs(interval![1] - 1.1048620694567084)).toBeLessThan(1e-9);
});

test('exchanging the sides inverts the interval of equal samples', () => {
  const there = ratioOfMeans(X, Y.slice(0, 6), 0.9).interval!;
  const back = ratioOfMeans(Y.slice(0, 6), X, 0.9).interval!;
  expect(there[0] * back[1]).toBeCloseTo(1, 9);
});

test('no variance, too few values, a denominator that may be zero', () => {
  expect(ratioOfMeans([2, 2], [1, 1], 0.95)).toEqual({ ratio: 2, interval: [2, 2] });
  expect(ratioOfMeans([2], [1, 1], 0.95).interval).toBeNull();
  expect(ratioOfMeans([1, 2], [0.01, 5], 0.95).interval).toBeNull();
});
