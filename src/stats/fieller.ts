import { mean, standardDeviation } from './descriptive.ts';
import { twoSidedQuantile } from './student-t.ts';

export interface MeanRatio {
  readonly ratio: number;
  /** Null where the denominator is not clearly apart from zero, or a side has fewer than two values. */
  readonly interval: readonly [low: number, high: number] | null;
}

/**
 * Ratio of the means of two independent samples, both positive, with Fieller's (1954) interval: the ratios ρ for which
 * |x̄ − ρȳ| ≤ t·√(s²_x/n_x + ρ²s²_y/n_y). Degrees of freedom by Welch & Satterthwaite at the estimate, rounded down.
 * @param confidence two-sided, for example 0.95.
 */
export function ratioOfMeans(x: readonly number[], y: readonly number[], confidence: number): MeanRatio {
  const meanX = mean(x);
  const meanY = mean(y);
  const ratio = meanX / meanY;
  if (x.length < 2 || y.length < 2) return { ratio, interval: null };
  const varianceX = standardDeviation(x) ** 2 / x.length;
  const varianceY = standardDeviation(y) ** 2 / y.length;
  if (varianceX === 0 && varianceY === 0) return { ratio, interval: [ratio, ratio] };
  const scaledY = ratio ** 2 * varianceY;
  const degrees = Math.max(
    1,
    Math.floor(
      (varianceX + scaledY) ** 2 / (varianceX ** 2 / (x.length - 1) + scaledY ** 2 / (y.length - 1)),
    ),
  );
  const t2 = twoSidedQuantile(confidence, degrees) ** 2;
  // (ȳ² − t²v_y)·ρ² − 2x̄ȳ·ρ + (x̄² − t²v_x) ≤ 0
  const a = meanY ** 2 - t2 * varianceY;
  const discriminant = (meanX * meanY) ** 2 - a * (meanX ** 2 - t2 * varianceX);
  if (a <= 0 || discriminant < 0) return { ratio, interval: null };
  const root = Math.sqrt(discriminant);
  return { ratio, interval: [(meanX * meanY - root) / a, (meanX * meanY + root) / a] };
}
