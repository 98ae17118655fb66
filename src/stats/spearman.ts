import { mean } from './descriptive.ts';
import { twoSidedProbability } from './student-t.ts';

export interface Correlation {
  /** −1 … 1; 0 where one side does not vary. */
  readonly rho: number;
  /** Two-sided p of no association. */
  readonly p: number;
}

/** Up to here all n! orders are counted; the t approximation calls too many short series drifting. */
const LARGEST_EXACT = 8;

/** Spearman's rank correlation with midranks for ties; exact p for up to eight untied pairs, by Student's t above. */
export function spearman(x: readonly number[], y: readonly number[]): Correlation {
  const n = x.length;
  if (n !== y.length) throw new RangeError(`${n} values against ${y.length}`);
  if (n < 3) return { rho: 0, p: 1 };
  const xRanks = midranks(x);
  const yRanks = midranks(y);
  const rho = pearson(xRanks, yRanks);
  if (Number.isNaN(rho)) return { rho: 0, p: 1 };
  if (n <= LARGEST_EXACT && untied(xRanks) && untied(yRanks)) return { rho, p: exactP(rho, n) };
  const t = rho * Math.sqrt((n - 2) / ((1 + rho) * (1 - rho)));
  return { rho, p: Number.isNaN(t) ? 1 : 1 - twoSidedProbability(t, n - 2) };
}

const untied = (ranks: readonly number[]) => new Set(ranks).size === ranks.length;

function midranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Array<number>(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end + 1 < order.length && values[order[end + 1]!] === values[order[start]!]) end++;
    for (let i = start; i <= end; i++) ranks[order[i]!] = (start + end) / 2 + 1;
    start = end + 1;
  }
  return ranks;
}

function pearson(x: readonly number[], y: readonly number[]): number {
  const xMean = mean(x);
  const yMean = mean(y);
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (let i = 0; i < x.length; i++) {
    const dx = x[i]! - xMean;
    const dy = y[i]! - yMean;
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xx === 0 || yy === 0 ? Number.NaN : Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy)));
}

const permutationCounts = new Map<number, Map<number, number>>();

/** How many of the n! orders give each Σ d² of rank differences (Kendall, Rank Correlation Methods, §5). */
function squaredDifferenceCounts(n: number): Map<number, number> {
  const known = permutationCounts.get(n);
  if (known) return known;
  const counts = new Map<number, number>();
  const free = new Array<boolean>(n).fill(true);
  const place = (row: number, sum: number): void => {
    if (row === n) {
      counts.set(sum, (counts.get(sum) ?? 0) + 1);
      return;
    }
    for (let column = 0; column < n; column++) {
      if (!free[column]) continue;
      free[column] = false;
      place(row + 1, sum + (row - column) ** 2);
      free[column] = true;
    }
  };
  place(0, 0);
  permutationCounts.set(n, counts);
  return counts;
}

function exactP(rho: number, n: number): number {
  const centre = (n * (n * n - 1)) / 6;
  const distance = Math.abs(Math.round((1 - rho) * centre) - centre);
  let atLeast = 0;
  let all = 0;
  for (const [sum, count] of squaredDifferenceCounts(n)) {
    all += count;
    if (Math.abs(sum - centre) >= distance) atLeast += count;
  }
  return atLeast / all;
}
