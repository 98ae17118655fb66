import { expect, test } from 'vitest';
import { twoSidedProbability, twoSidedQuantile } from '../../src/stats/student-t.ts';

test('quantiles are those of SciPy to 1e-9', () => {
  // scipy.stats.t.ppf(0.975, df)
  for (const [degrees, expected] of [
    [1, 12.706204736174694],
    [2, 4.302652729749462],
    [3, 3.1824463052837078],
    [5, 2.5705818356363146],
    [6, 2.4469118511449786],
    [9, 2.262157162798205],
    [14, 2.144786687917804],
    [29, 2.045229642132703],
    [30, 2.0422724563012378],
    [99, 1.9842169515864174],
    [9999, 1.960201263621357],
  ] as const) {
    expect(Math.abs(twoSidedQuantile(0.95, degrees) - expected), `${degrees}`).toBeLessThan(1e-9);
  }
});

test('probabilities are those of SciPy to 1e-9', () => {
  // 1 - 2 * scipy.stats.t.sf(t, df)
  for (const [t, degrees, expected] of [
    [0.5, 1, 0.2951672353008665],
    [2, 2, 0.816496580927726],
    [2, 5, 0.8980605211701417],
    [-1.3, 6, 0.7586948253772139],
    [4.2, 17, 0.9993983767953274],
    [0.1, 100, 0.07945546890414878],
  ] as const) {
    expect(Math.abs(twoSidedProbability(t, degrees) - expected), `${t} ${degrees}`).toBeLessThan(1e-9);
  }
});

test('the ends of the range', () => {
  expect(twoSidedProbability(0, 4)).toBe(0);
  expect(twoSidedProbability(Number.POSITIVE_INFINITY, 4)).toBe(1);
  expect(twoSidedQuantile(0, 4)).toBeCloseTo(0, 12);
  expect(() => twoSidedProbability(1, 0)).toThrow(RangeError);
  expect(() => twoSidedProbability(1, 2.5)).toThrow(RangeError);
  expect(() => twoSidedQuantile(1, 3)).toThrow(RangeError);
});
