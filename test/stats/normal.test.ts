import { expect, test } from 'vitest';
import { normalCdf, normalQuantile } from '../../src/stats/normal.ts';

test('the distribution is that of SciPy, relative to its size', () => {
  // scipy 1.17.1: norm.cdf(z)
  for (const [z, expected] of [
    [-8, 6.22096057427174e-16],
    [-6.5, 4.016000583859088e-11],
    [-3, 0.0013498980316300933],
    [-1, 0.15865525393145707],
    [0.3, 0.6179114221889526],
    [2, 0.9772498680518208],
    [5, 0.9999997133484281],
  ] as const) {
    expect(Math.abs(normalCdf(z) / expected - 1), `z = ${z}`).toBeLessThan(1e-9);
  }
  expect(normalCdf(0)).toBe(0.5);
  expect(normalCdf(Number.NaN)).toBeNaN();
});

test('quantiles are those of SciPy', () => {
  // norm.ppf(p)
  for (const [p, expected] of [
    [1e-6, -4.753424308822899],
    [0.01, -2.3263478740408408],
    [0.025, -1.9599639845400545],
    [0.3, -0.5244005127080409],
    [0.9, 1.2815515655446004],
  ] as const) {
    expect(Math.abs(normalQuantile(p) - expected), `p = ${p}`).toBeLessThan(1e-9);
  }
  expect(() => normalQuantile(0)).toThrow(RangeError);
});
