import { expect, test } from 'vitest';
import { spearman } from '../../src/stats/spearman.ts';

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

test('with ties and many values as SciPy', () => {
  // scipy.stats.spearmanr(range(12), …)
  const tied = spearman(upTo(12), [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8]);
  expect(Math.abs(tied.rho - 0.5265313520914635)).toBeLessThan(1e-9);
  expect(Math.abs(tied.p - 0.07863046813632459)).toBeLessThan(1e-9);
  const rising = spearman(upTo(11), [2.1, 2.0, 2.2, 2.5, 2.4, 2.8, 2.9, 2.7, 3.1, 3.3, 3.2]);
  expect(Math.abs(rising.rho - 0.9454545454545454)).toBeLessThan(1e-9);
  expect(Math.abs(rising.p - 1.1183037701493194e-5)).toBeLessThan(1e-9);
});

test('few values by counting all orders', () => {
  // scipy.stats.permutation_test((y,), lambda v: spearmanr(range(7), v).statistic, permutation_type='pairings', n_resamples=np.inf)
  const { rho, p } = spearman(upTo(7), [1, 3, 2, 4, 6, 5, 7]);
  expect(Math.abs(rho - 0.9285714285714288)).toBeLessThan(1e-9);
  expect(Math.abs(p - 0.006746031746031746)).toBeLessThan(1e-9);
  // Of 6! orders, one rises and one falls all the way.
  expect(spearman(upTo(6), upTo(6)).p).toBeCloseTo(2 / 720, 12);
});

test('no variance is no association', () => {
  expect(spearman(upTo(8), new Array(8).fill(3))).toEqual({ rho: 0, p: 1 });
  expect(spearman([1, 2], [1, 2])).toEqual({ rho: 0, p: 1 });
  expect(spearman(upTo(20), upTo(20)).p).toBeLessThan(1e-9);
});
