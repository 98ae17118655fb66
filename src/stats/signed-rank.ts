import { normalCdf, normalQuantile } from './normal.ts';

/** Wilcoxon's signed-rank statistic T⁺: its exact null distribution for n untied differences, and the test. */

/** Above this n the counts would take long and the normal approximation is good to four digits. */
const LARGEST_EXACT = 400;

const cumulative = new Map<number, Float64Array>();

/**
 * P(T⁺ ≤ t) for t = 0 … n(n+1)/2, by the recursion over ranks: each rank is in the sum or not, with probability ½
 * (Hollander, Wolfe & Chicken, Nonparametric Statistical Methods, 3rd ed., §3.1).
 */
function distribution(n: number): Float64Array {
  const known = cumulative.get(n);
  if (known) return known;
  const top = (n * (n + 1)) / 2;
  const probability = new Float64Array(top + 1);
  probability[0] = 1;
  for (let rank = 1, reach = 0; rank <= n; rank++) {
    reach += rank;
    for (let t = reach; t >= 0; t--) {
      probability[t] = (probability[t]! + (t >= rank ? probability[t - rank]! : 0)) / 2;
    }
  }
  for (let t = 1; t <= top; t++) probability[t] = probability[t]! + probability[t - 1]!;
  cumulative.set(n, probability);
  return probability;
}

/** P(T⁺ ≤ t); n at most 400. */
export function signedRankCdf(t: number, n: number): number {
  if (n > LARGEST_EXACT)
    throw new RangeError(`exact signed-rank distribution for n = ${n} > ${LARGEST_EXACT}`);
  if (t < 0) return 0;
  const table = distribution(n);
  return table[Math.min(Math.floor(t), table.length - 1)]!;
}

/**
 * Largest t with P(T⁺ ≤ t) ≤ `tail`, or −1 where there is none: how many Walsh averages an interval leaves out at an end.
 * Above n = 400 by the normal approximation with continuity correction, rounded outwards.
 */
export function signedRankCritical(n: number, tail: number): number {
  const key = `${n} ${tail}`;
  const known = criticals.get(key);
  if (known !== undefined) return known;
  const found = n > LARGEST_EXACT ? approximateCritical(n, tail) : exactCritical(n, tail);
  criticals.set(key, found);
  return found;
}

const criticals = new Map<string, number>();

function exactCritical(n: number, tail: number): number {
  const table = distribution(n);
  let t = -1;
  while (t + 1 < table.length && table[t + 1]! <= tail) t++;
  return t;
}

function approximateCritical(n: number, tail: number): number {
  const { centre, deviation } = moments(n);
  return Math.floor(centre - 0.5 + normalQuantile(tail) * deviation);
}

function moments(n: number): { centre: number; deviation: number } {
  return { centre: (n * (n + 1)) / 4, deviation: Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24) };
}

/** The critical value of a two-sided 95 % interval; −1 for n < 6. */
export const signedRankCritical95 = (n: number): number => signedRankCritical(n, 0.025);

/**
 * One-sided p of Wilcoxon's signed-rank test that the values lie about a centre > 0: P(T⁺ ≥ t) under symmetry about 0.
 * Exact up to n = 400, then by the normal approximation with continuity correction, whose tails are the heavier ones.
 * Zeros get the lowest ranks and ties the order that speaks against the alternative: p can only be too large.
 * 1 for no values.
 */
export function signedRankGreater(values: ArrayLike<number>): number {
  const n = values.length;
  const t = positiveRankSum(values);
  if (n <= LARGEST_EXACT) return signedRankCdf((n * (n + 1)) / 2 - t, n);
  const { centre, deviation } = moments(n);
  return normalCdf((centre + 0.5 - t) / deviation);
}

/** T⁺: the sum of the ranks of |value| over positive values. */
function positiveRankSum(values: ArrayLike<number>): number {
  const sizes = new Float64Array(values.length);
  const positive: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) throw new RangeError('a signed-rank test of NaN');
    sizes[i] = Math.abs(value);
    if (value > 0) positive.push(value);
  }
  sizes.sort();
  positive.sort((a, b) => a - b);
  let sum = 0;
  let place = 0;
  let previous = Number.NaN;
  for (const value of positive) {
    // Among equal sizes the positive ones come first, one after the other.
    if (value === previous) place++;
    else while (sizes[place]! < value) place++;
    previous = value;
    sum += place + 1;
  }
  return sum;
}
