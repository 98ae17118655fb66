import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  coefficientOfVariation,
  mean,
  median,
  medianAbsoluteDeviation,
  percentile,
  standardDeviation,
} from '../../src/stats/descriptive.ts';

const VALUES = [3.1, 0.2, 9.4, 5.5, 7.0, 1.25, 8.8];

test('percentiles are those of NumPy', () => {
  // np.percentile(VALUES, p)
  for (const [q, expected] of [
    [0, 0.2],
    [0.1, 0.83],
    [0.5, 5.5],
    [0.9, 9.04],
    [0.99, 9.364],
    [1, 9.4],
  ] as const) {
    expect(percentile(VALUES, q)).toBeCloseTo(expected, 12);
  }
});

test('spread is that of SciPy', () => {
  // scipy.stats.median_abs_deviation(VALUES); np.std(VALUES, ddof=1) / np.mean(VALUES)
  expect(medianAbsoluteDeviation(VALUES)).toBeCloseTo(3.3, 12);
  expect(coefficientOfVariation(VALUES)).toBeCloseTo(0.7194463646509095, 12);
});

test('no values and no variance are no errors', () => {
  expect(mean([])).toBeNaN();
  expect(median([])).toBeNaN();
  expect(standardDeviation([1])).toBeNaN();
  expect(coefficientOfVariation([0, 0, 0])).toBe(0);
  expect(medianAbsoluteDeviation([4, 4, 4])).toBe(0);
});

test('a median has as many values above as below', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 }), (values) => {
      const middle = median(values);
      expect(values.filter((value) => value < middle).length).toBeLessThanOrEqual(values.length / 2);
      expect(values.filter((value) => value > middle).length).toBeLessThanOrEqual(values.length / 2);
    }),
  );
});
