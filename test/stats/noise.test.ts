import { expect, test } from 'vitest';
import { robustSpread, spreadBound, spreadDegrees } from '../../src/stats/noise.ts';

test('estimates σ, and a spike does not move it', () => {
  // Quantiles of the logistic distribution, whose σ is π/√3 and whose tails are a little heavier than a normal's.
  const values = Array.from({ length: 401 }, (_, i) => Math.log((i + 0.5) / (401 - i - 0.5)));
  const spread = robustSpread(values);
  expect(spread / (Math.PI / Math.sqrt(3))).toBeGreaterThan(0.85);
  expect(spread / (Math.PI / Math.sqrt(3))).toBeLessThan(1.05);
  const spiked = [...values];
  spiked[3] = 1e6;
  expect(robustSpread(spiked) / spread).toBeLessThan(1.02);
  expect(robustSpread([3, 3, 3])).toBe(0);
  expect(robustSpread([3])).toBeNaN();
});

test('the bound is √(ν/χ²) of SciPy within its approximation', () => {
  // scipy 1.17.1: (v / chi2.ppf(0.1, v)) ** 0.5
  for (const [degrees, expected] of [
    [5, 1.7620999086329479],
    [12, 1.3797155080850576],
    [100, 1.1019115775509059],
    [1200, 1.0270325659206552],
  ] as const) {
    expect(Math.abs(spreadBound(degrees, 0.9) / expected - 1)).toBeLessThan(0.01);
  }
  expect(spreadDegrees(2)).toBe(1);
});
