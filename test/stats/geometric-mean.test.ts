import { expect, test } from 'vitest';
import { geometricMean, geometricMeanInterval } from '../../src/stats/geometric-mean.ts';

const CELLS = [
  [0.7, 0.72, 0.69, 0.71, 0.75, 0.68, 0.7],
  [0.3, 0.31, 0.28, 0.33, 0.3, 0.29, 0.34],
  [-0.1, -0.08, -0.12, -0.09, -0.05, -0.11, -0.1],
];
const byRound = (values: readonly number[]) => new Map(values.map((value, round) => [round, value]));

test('geometric mean is that of SciPy', () => {
  // scipy.stats.gmean([1.2, 2.31, 0.8, 1.72])
  expect(geometricMean([1.2, 2.31, 0.8, 1.72])).toBeCloseTo(1.3975035345091822, 12);
});

test('interval is the t interval of the means by round', () => {
  // m = np.array(CELLS).mean(axis=0); np.exp(scipy.stats.t.interval(0.95, 6, loc=m.mean(), scale=scipy.stats.sem(m)))
  const interval = geometricMeanInterval(CELLS.map(byRound))!;
  expect(Math.abs(interval[0] - 1.3370965745116956)).toBeLessThan(1e-9);
  expect(Math.abs(interval[1] - 1.382350327751594)).toBeLessThan(1e-9);
});

test('only rounds that every cell has count', () => {
  const longer = byRound([...CELLS[0]!, 99]);
  expect(geometricMeanInterval([longer, ...CELLS.slice(1).map(byRound)])).toEqual(
    geometricMeanInterval(CELLS.map(byRound)),
  );
  expect(geometricMeanInterval([byRound(CELLS[0]!.slice(0, 5)), byRound(CELLS[1]!)])).toBeNull();
  expect(geometricMeanInterval([])).toBeNull();
});
