/** Order statistics and spread. Inputs are finite; an empty one is NaN, never an exception. */

export function mean(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** Sample standard deviation, n − 1 in the denominator; NaN for fewer than two values. */
export function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) return Number.NaN;
  const centre = mean(values);
  let squares = 0;
  for (const value of values) squares += (value - centre) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}

/** Standard deviation over mean; 0 for no variance at all, whatever the mean. */
export function coefficientOfVariation(values: readonly number[]): number {
  const deviation = standardDeviation(values);
  return deviation === 0 ? 0 : deviation / Math.abs(mean(values));
}

/**
 * Quantile q of already sorted values by linear interpolation between order statistics: Hyndman & Fan (1996) type 7,
 * the default of NumPy, R and spreadsheets.
 */
export function quantileOfSorted(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return Number.NaN;
  const position = (sorted.length - 1) * q;
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (high - low) * (position - below);
}

/** Numeric order; a typed array sorts without a comparator and several times faster. */
export const sorted = (values: ArrayLike<number>): Float64Array => new Float64Array(values).sort();

export const percentile = (values: ArrayLike<number>, q: number): number =>
  quantileOfSorted(sorted(values), q);

export const median = (values: ArrayLike<number>): number => percentile(values, 0.5);

/** Median absolute deviation from the median, unscaled (Hampel 1974). Times 1.4826 it estimates σ of a normal. */
export function medianAbsoluteDeviation(values: readonly number[]): number {
  const centre = median(values);
  return median(values.map((value) => Math.abs(value - centre)));
}
