import { median } from './descriptive.ts';

/**
 * Slope of y over x as the median of the slopes between all pairs of points (Theil 1950, Sen 1968): up to 29 % of the
 * points may be anything at all. Pairs at one x say nothing; NaN when there are no others.
 */
export function theilSenSlope(x: readonly number[], y: readonly number[]): number {
  if (x.length !== y.length) throw new RangeError(`${x.length} values against ${y.length}`);
  const slopes: number[] = [];
  for (let i = 0; i < x.length; i++) {
    for (let k = i + 1; k < x.length; k++) {
      if (x[k] !== x[i]) slopes.push((y[k]! - y[i]!) / (x[k]! - x[i]!));
    }
  }
  return median(slopes);
}
