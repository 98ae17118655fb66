import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lowerBound, upperBound } from '../../src/stats/hodges-lehmann.ts';
import { signedRankCdf, signedRankCritical, signedRankGreater } from '../../src/stats/signed-rank.ts';

// scipy 1.17.1: wilcoxon(x, alternative='greater', method='exact').pvalue
const KNOWN: readonly (readonly [values: readonly number[], p: number])[] = [
  [[0.30123, 0.598746, 0.025862, -0.590592, -0.154671, -0.691647], 0.65625],
  [
    [0.360144, 1.640215, -0.192207, -0.320475, 0.789842, 0.656887, 0.405414, -0.630468, 0.270748, 0.995303],
    0.0419921875,
  ],
  [
    [
      -1.044215, -0.157616, -1.601223, -0.989538, -1.541735, 0.064909, -0.967446, 0.571264, 0.456751,
      0.113069, -2.21676, -0.238693, 0.251499, 0.413309, -1.230136,
    ],
    0.9635009765625,
  ],
  [
    [
      -0.177753, -0.678519, -0.508837, 1.360899, -0.507535, 0.267478, 1.18439, -0.2836, 0.188298, 0.410464,
      0.363782, -0.925056, 0.37614, 1.658823, -1.247145, 1.159383, 0.419354, -0.34147, 2.300417, 1.06226,
      -0.899289, 0.374516, 0.87669, 0.111218, 0.98291, 0.233483, 0.967248, 1.738523, -0.375662, 0.503139,
    ],
    0.026131673716008663,
  ],
];

test.each(KNOWN)('the one-sided p of %j is that of SciPy', (values, p) => {
  expect(Math.abs(signedRankGreater(values) - p)).toBeLessThan(1e-12);
});

test('ties and zeros speak against the alternative: p can only be too large', () => {
  expect(signedRankGreater(new Array(15).fill(0))).toBeCloseTo(1, 12);
  // Ranks of the positive pair are 1 and 2 though they tie with −1.
  expect(signedRankGreater([1, 1, -1])).toBe(1 - signedRankCdf(2, 3));
  expect(signedRankGreater(new Array(10).fill(0.3))).toBe(2 ** -10);
  expect(signedRankGreater([])).toBe(1);
  expect(() => signedRankGreater([1, Number.NaN])).toThrow(/NaN/);
});

test('the test rejects exactly where the bound excludes zero', () => {
  // In steps of 2⁻²⁰: the mean of two of the smallest doubles is rounded to zero.
  const value = fc.integer({ min: -(2 ** 20), max: 2 ** 21 }).map((step) => step / 2 ** 20);
  const sample = fc.array(value, { minLength: 6, maxLength: 40 });
  fc.assert(
    fc.property(sample, fc.constantFrom(0.05, 0.01, 0.001), (values, tail) => {
      // Ties make the test the more careful of the two.
      if (signedRankGreater(values) <= tail) expect(lowerBound(values, tail)).toBeGreaterThan(0);
      expect(upperBound(values, tail)).toBeCloseTo(
        -lowerBound(
          values.map((value) => -value),
          tail,
        ),
        12,
      );
    }),
  );
});

test('above 400 values the approximation joins the exact test, on its careful side', () => {
  const shifted = (n: number) => Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898) + 0.05);
  const exact = signedRankGreater(shifted(400));
  const approximate = signedRankGreater(shifted(401));
  expect(Math.abs(Math.log(approximate / exact))).toBeLessThan(0.2);
  expect(signedRankCritical(400, 0.05)).toBeLessThan(signedRankCritical(401, 0.05));
});

test('too few values have no bound', () => {
  expect(upperBound([1, 2, 3, 4], 0.05)).toBe(Number.POSITIVE_INFINITY);
  expect(lowerBound([1, 2, 3, 4], 0.05)).toBe(Number.NEGATIVE_INFINITY);
  expect(upperBound([1, 2, 3, 4, 5], 0.05)).toBe(5);
});
