import { sorted } from './descriptive.ts';
import { signedRankCritical, signedRankCritical95 } from './signed-rank.ts';

export interface Location {
  readonly estimate: number;
  /** Exact 95 % interval; null for fewer than six values, where no such interval exists. */
  readonly interval: readonly [low: number, high: number] | null;
}

/** Fewest values for which a two-sided 95 % signed-rank interval exists: 2·½⁶ ≤ 0.05 < 2·½⁵. */
export const FEWEST_FOR_INTERVAL = 6;

/**
 * Hodges & Lehmann (1963): the median of the Walsh averages (x_i + x_j)/2, i ≤ j; its interval inverts the signed-rank
 * test: with M = n(n+1)/2 averages and t the critical value, the (t+1)th smallest to the (t+1)th largest.
 * Needs at least one value.
 */
export function hodgesLehmann(values: readonly number[]): Location {
  const ordered = sorted(values);
  const count = (ordered.length * (ordered.length + 1)) / 2;
  const estimate =
    count % 2 === 1
      ? walshAverage(ordered, (count + 1) / 2)
      : (walshAverage(ordered, count / 2) + walshAverage(ordered, count / 2 + 1)) / 2;
  const critical = signedRankCritical95(ordered.length);
  if (critical < 0) return { estimate, interval: null };
  return {
    estimate,
    interval: [walshAverage(ordered, critical + 1), walshAverage(ordered, count - critical)],
  };
}

/**
 * One-sided upper confidence bound of the centre: the signed-rank test at level `tail` does not reject any larger one.
 * Infinite where there are too few values for that level.
 */
export function upperBound(values: ArrayLike<number>, tail: number): number {
  const critical = signedRankCritical(values.length, tail);
  if (critical < 0) return Number.POSITIVE_INFINITY;
  const count = (values.length * (values.length + 1)) / 2;
  return walshAverage(sorted(values), count - critical);
}

/** One-sided lower confidence bound, see `upperBound`; −∞ where there are too few values. */
export function lowerBound(values: ArrayLike<number>, tail: number): number {
  const critical = signedRankCritical(values.length, tail);
  return critical < 0 ? Number.NEGATIVE_INFINITY : walshAverage(sorted(values), critical + 1);
}

/** Below this many values, listing the averages is quicker than searching for one. */
const LIST_UP_TO = 64;

/** The k-th smallest Walsh average, k from 1. */
function walshAverage(ordered: Float64Array, k: number): number {
  return ordered.length <= LIST_UP_TO ? listed(ordered, k) : searched(ordered, k);
}

function listed(ordered: Float64Array, k: number): number {
  const averages = new Float64Array((ordered.length * (ordered.length + 1)) / 2);
  let next = 0;
  for (let i = 0; i < ordered.length; i++) {
    for (let j = i; j < ordered.length; j++) averages[next++] = (ordered[i]! + ordered[j]!) / 2;
  }
  return averages.sort()[k - 1]!;
}

/**
 * Bisection over values, counting the averages below with two pointers (rows and columns of the matrix of averages are
 * sorted): O(n) memory, where ten thousand rounds would have fifty million averages.
 */
function searched(ordered: Float64Array, k: number): number {
  let low = ordered[0]!;
  let high = ordered[ordered.length - 1]!;
  if (atMost(ordered, low) >= k) return low;
  // Invariant: fewer than k averages ≤ low, at least k ≤ high; when no double is left between, high is the answer.
  for (;;) {
    const middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) return high;
    if (atMost(ordered, middle) >= k) high = middle;
    else low = middle;
  }
}

/** How many pairs i ≤ j have an average of at most `bound`. */
function atMost(ordered: Float64Array, bound: number): number {
  let count = 0;
  let j = ordered.length - 1;
  for (let i = 0; i < ordered.length; i++) {
    while (j >= i && (ordered[i]! + ordered[j]!) / 2 > bound) j--;
    if (j < i) break;
    count += j - i + 1;
  }
  return count;
}
