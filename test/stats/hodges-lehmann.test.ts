import fc from 'fast-check';
import { expect, test } from 'vitest';
import { median } from '../../src/stats/descriptive.ts';
import { hodgesLehmann } from '../../src/stats/hodges-lehmann.ts';
import { signedRankCdf, signedRankCritical95 } from '../../src/stats/signed-rank.ts';

test('the null distribution is that of SciPy', () => {
  // scipy.stats._wilcoxon.WilcoxonDistribution(n).cdf(t)
  for (const [t, n, expected] of [
    [0, 6, 0.015625],
    [6, 6, 0.21875],
    [9, 8, 0.125],
    [13, 10, 0.080078125],
    [30, 15, 0.04730224609375],
    [52, 20, 0.02422046661376953],
    [81, 25, 0.013739705085754395],
    [116, 30, 0.007730001583695412],
  ] as const) {
    expect(Math.abs(signedRankCdf(t, n) - expected), `${t} of ${n}`).toBeLessThan(1e-12);
  }
  expect(signedRankCdf(-1, 6)).toBe(0);
  expect(signedRankCdf(21, 6)).toBeCloseTo(1, 12);
});

test('critical values leave at most 2.5 % outside at each end', () => {
  // Largest t with WilcoxonDistribution(n).cdf(t) <= 0.025
  const known = { 5: -1, 6: 0, 8: 3, 10: 8, 15: 25, 20: 52, 25: 89, 30: 137 };
  for (const [n, expected] of Object.entries(known)) expect(signedRankCritical95(Number(n))).toBe(expected);
  for (let n = 6; n <= 60; n++) {
    const t = signedRankCritical95(n);
    expect(signedRankCdf(t, n)).toBeLessThanOrEqual(0.025);
    expect(signedRankCdf(t + 1, n)).toBeGreaterThan(0.025);
  }
});

test('the approximation for many rounds joins the exact values', () => {
  const exact = signedRankCritical95(400);
  const approximate = signedRankCritical95(401);
  expect(approximate).toBeGreaterThan(exact);
  expect(approximate - exact).toBeLessThan(260);
});

test('estimate and interval of a known sample', () => {
  // x = np.array(VALUES); w = sorted((a + b) / 2 for a, b in combinations_with_replacement(x, 2)); np.median(w), w[3], w[-4]
  const { estimate, interval } = hodgesLehmann([0.71, 0.69, 0.74, 0.66, 0.9, 0.7, 0.68, 0.73]);
  expect(estimate).toBeCloseTo(0.71, 12);
  expect(interval![0]).toBeCloseTo(0.68, 12);
  expect(interval![1]).toBeCloseTo(0.805, 12);
});

test('six values: the interval is their range; five: there is none', () => {
  expect(hodgesLehmann([5, 1, 4, 2, 6, 3]).interval).toEqual([1, 6]);
  expect(hodgesLehmann([5, 1, 4, 2, 3])).toEqual({ estimate: 3, interval: null });
  expect(hodgesLehmann([7])).toEqual({ estimate: 7, interval: null });
});

test('no variance is no error', () => {
  expect(hodgesLehmann(new Array(10).fill(0.5))).toEqual({ estimate: 0.5, interval: [0.5, 0.5] });
  expect(hodgesLehmann(new Array(200).fill(0.5))).toEqual({ estimate: 0.5, interval: [0.5, 0.5] });
});

const listWalsh = (values: readonly number[]): number[] =>
  values.flatMap((a, i) => values.slice(i).map((b) => (a + b) / 2)).sort((a, b) => a - b);

test('searching for a Walsh average finds the same as listing all', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ noNaN: true, min: -10, max: 10 }), { minLength: 65, maxLength: 90 }),
      (values) => {
        const all = listWalsh(values);
        const cut = signedRankCritical95(values.length);
        const { estimate, interval } = hodgesLehmann(values);
        expect(estimate).toBeCloseTo(median(all), 10);
        expect(interval![0]).toBeCloseTo(all[cut]!, 10);
        expect(interval![1]).toBeCloseTo(all[all.length - 1 - cut]!, 10);
      },
    ),
    { numRuns: 40 },
  );
});

test('shifting and mirroring the values does the same to the result', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 6, maxLength: 30 }),
      (values) => {
        const plain = hodgesLehmann(values);
        const shifted = hodgesLehmann(values.map((value) => value + 64));
        const mirrored = hodgesLehmann(values.map((value) => -value));
        expect(shifted.estimate).toBeCloseTo(plain.estimate + 64, 9);
        expect(mirrored.estimate).toBeCloseTo(-plain.estimate, 9);
        expect(mirrored.interval![0]).toBeCloseTo(-plain.interval![1], 9);
        expect(plain.interval![0]).toBeLessThanOrEqual(plain.estimate);
        expect(plain.interval![1]).toBeGreaterThanOrEqual(plain.estimate);
      },
    ),
  );
});

test('ten thousand rounds take neither long nor much memory', () => {
  const values = Array.from({ length: 10_000 }, (_, i) => (Math.sin(i * 12.9898) * 43758.5453) % 1);
  const before = performance.now();
  const { interval } = hodgesLehmann(values);
  expect(performance.now() - before).toBeLessThan(5000);
  expect(interval![0]).toBeLessThan(interval![1]);
});
