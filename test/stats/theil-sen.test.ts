import { expect, test } from 'vitest';
import { theilSenSlope } from '../../src/stats/theil-sen.ts';

test('a line has its slope, and keeps it when a quarter of its points are anything', () => {
  const x = Array.from({ length: 20 }, (_, i) => i);
  const line = x.map((value) => 3 * value + 7);
  expect(theilSenSlope(x, line)).toBeCloseTo(3, 12);
  const spoilt = line.map((value, i) => (i % 4 === 0 ? value + 1e6 * (i - 8) : value));
  expect(theilSenSlope(x, spoilt)).toBeCloseTo(3, 6);
});

// Sen, Estimates of the regression coefficient based on Kendall's tau, JASA 63 (1968), section 6.
test('the example of the paper', () => {
  expect(theilSenSlope([1, 2, 3, 4, 10, 12, 18], [9, 15, 19, 20, 45, 55, 78])).toBeCloseTo(4, 12);
});

test('points at one place have no slope, and sides must be of one length', () => {
  expect(theilSenSlope([1, 1], [1, 2])).toBeNaN();
  expect(theilSenSlope([], [])).toBeNaN();
  expect(() => theilSenSlope([1], [])).toThrow(RangeError);
});
