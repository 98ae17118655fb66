import { sorted } from './descriptive.ts';

/**
 * Distribution-free 95 % interval of a median by order statistics: with k the largest number for which
 * P(Bin(n, ½) < k) ≤ 0.025, from the k-th smallest to the k-th largest (David & Nagaraja, Order Statistics, §7.1).
 * Null for fewer than six values, where none exists.
 */
export function medianInterval(values: readonly number[]): readonly [low: number, high: number] | null {
  const n = values.length;
  const k = binomialRank(n);
  if (k < 1) return null;
  const ordered = sorted(values);
  return [ordered[k - 1]!, ordered[n - k]!];
}

const ranks = new Map<number, number>();

function binomialRank(n: number): number {
  const known = ranks.get(n);
  if (known !== undefined) return known;
  // In logarithms: ½ⁿ underflows for n above 1,074.
  let logTerm = -n * Math.LN2;
  let below = Math.exp(logTerm);
  let k = 0;
  while (below <= 0.025 && k < n) {
    k++;
    logTerm += Math.log((n - k + 1) / k);
    below += Math.exp(logTerm);
  }
  ranks.set(n, k);
  return k;
}
