import { median } from './descriptive.ts';
import { normalQuantile } from './normal.ts';

/** 1/(√2·Φ⁻¹(¾)): makes the median of pairwise differences estimate σ of a normal. */
const TO_SIGMA = 1.0483;
/** Of the pairwise median at the normal, against the sample standard deviation: what its degrees of freedom shrink by. */
const EFFICIENCY = 0.86;

/**
 * Spread σ by the median of |x_i − x_j| over i < j (Shamos 1976; Rousseeuw & Croux 1993): a spike or two do not move it.
 * NaN for fewer than two values.
 */
export function robustSpread(values: readonly number[]): number {
  const differences = new Float64Array((values.length * (values.length - 1)) / 2);
  let next = 0;
  for (let i = 0; i < values.length; i++) {
    for (let j = i + 1; j < values.length; j++) differences[next++] = Math.abs(values[i]! - values[j]!);
  }
  return TO_SIGMA * median(differences);
}

/** Degrees of freedom of a robust spread from n values. */
export const spreadDegrees = (n: number): number => Math.max(1, EFFICIENCY * (n - 1));

/**
 * What a spread with ν degrees of freedom is multiplied by for an upper bound of σ at `confidence`: √(ν/χ²_{1−confidence}),
 * the quantile by Wilson & Hilferty (1931).
 */
export function spreadBound(degrees: number, confidence: number): number {
  const z = normalQuantile(1 - confidence);
  const cube = 1 - 2 / (9 * degrees) + z * Math.sqrt(2 / (9 * degrees));
  // With one or two degrees of freedom the approximation has no positive root to offer.
  return 1 / Math.sqrt(Math.max(cube, 0.1) ** 3);
}
