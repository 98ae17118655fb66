/** The exact null distribution of Wilcoxon's signed-rank statistic T⁺ for n untied differences. */

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

/** Quantile of the standard normal at 0.975. */
const Z_975 = 1.959963984540054;

/**
 * Largest t with P(T⁺ ≤ t) ≤ 0.025, or −1 where there is none (n < 6): how many Walsh averages a 95 % interval leaves
 * out at each end. Above n = 400 by the normal approximation with continuity correction, rounded outwards.
 */
export function signedRankCritical95(n: number): number {
  if (n > LARGEST_EXACT) {
    const centre = (n * (n + 1)) / 4;
    const deviation = Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24);
    return Math.floor(centre - 0.5 - Z_975 * deviation);
  }
  const table = distribution(n);
  let t = -1;
  while (t + 1 < table.length && table[t + 1]! <= 0.025) t++;
  return t;
}
