import { mean, standardDeviation } from './descriptive.ts';
import { FEWEST_FOR_INTERVAL } from './hodges-lehmann.ts';
import { twoSidedQuantile } from './student-t.ts';

/** exp of the mean of logarithms; values are positive. */
export const geometricMean = (values: readonly number[]): number => Math.exp(mean(values.map(Math.log)));

/**
 * 95 % interval of an average speedup (spec/statistics): the mean over cells of d = ln(speedup) is taken in each round,
 * and those means get a t interval, so that what a round does to all cells at once is not counted as many observations.
 * @param byCell d of each cell by round; only rounds that every cell has count.
 * @returns null for fewer than six such rounds.
 */
export function geometricMeanInterval(
  byCell: readonly ReadonlyMap<number, number>[],
): readonly [low: number, high: number] | null {
  const [first, ...others] = byCell;
  if (first === undefined) return null;
  const rounds = [...first.keys()].filter((round) => others.every((cell) => cell.has(round)));
  const n = rounds.length;
  if (n < FEWEST_FOR_INTERVAL) return null;
  const roundMeans = rounds.map((round) => mean(byCell.map((cell) => cell.get(round)!)));
  const centre = mean(roundMeans);
  const halfWidth = (twoSidedQuantile(0.95, n - 1) * standardDeviation(roundMeans)) / Math.sqrt(n);
  return [Math.exp(centre - halfWidth), Math.exp(centre + halfWidth)];
}
