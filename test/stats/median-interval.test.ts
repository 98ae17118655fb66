import { expect, test } from 'vitest';
import { medianInterval } from '../../src/stats/median-interval.ts';

test('ranks are those of the binomial distribution', () => {
  // largest k with scipy.stats.binom.cdf(k - 1, n, 0.5) <= 0.025
  for (const [n, k] of [
    [6, 1],
    [8, 1],
    [9, 2],
    [10, 2],
    [15, 4],
    [20, 6],
    [100, 40],
    [1000, 469],
    [5000, 2431],
  ] as const) {
    const values = Array.from({ length: n }, (_, i) => n - i);
    expect(medianInterval(values)).toEqual([k, n + 1 - k]);
  }
});

test('fewer than six values have none', () => {
  for (let n = 0; n < 6; n++) expect(medianInterval(new Array(n).fill(1))).toBeNull();
});
