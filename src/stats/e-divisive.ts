import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/**
 * E-divisive with means: change points of a series by energy distances, found one after another by bisection and tested
 * by permutation. Matteson & James, "A nonparametric approach for multiple change point analysis of multivariate data",
 * Journal of the American Statistical Association 109 (2014) 334–345, with α = 1; for performance histories see Daly et
 * al., "The use of change point detection to identify software performance regressions in a continuous integration
 * system", ICPE 2020.
 */

export interface EDivisiveOptions {
  /** Least values between two change points; 2 at least. */
  readonly minSize: number;
  /** A proposed change point counts when its permutation p is at most this. */
  readonly level: number;
  readonly permutations: number;
  readonly seed: number;
}

export interface ChangePoint {
  /** Index of the first value after the change. */
  readonly index: number;
  /** (1 + permutations that split as well) / (1 + permutations). */
  readonly p: number;
}

export interface Split {
  /** First index of the right-hand part; −1 when the series is too short for a split. */
  readonly index: number;
  /** q̂ of the split, in units of the values; −∞ when there is none. */
  readonly statistic: number;
}

const NONE: Split = { index: -1, statistic: Number.NEGATIVE_INFINITY };
/** Sums in another order differ in their last digits; as good a split is one within this share. */
const ROUNDING = 1e-9;

/** Change points in order of place. Values are finite; the same values and options give the same answer. */
export function eDivisive(values: readonly number[], options: EDivisiveOptions): ChangePoint[] {
  const { minSize, level, permutations, seed } = options;
  const random = xoroshiro128plus(seed);
  const found: ChangePoint[] = [];
  for (;;) {
    const bounds = [0, ...found.map(({ index }) => index), values.length];
    const best = bestOf(values, bounds, minSize);
    if (best.index < 0 || best.statistic <= 0) break;
    const p = permutationP(values, bounds, best.statistic, { minSize, level, permutations }, random);
    if (p > level) break;
    found.push({ index: best.index, p });
    found.sort((a, b) => a.index - b.index);
  }
  return found;
}

/** The best split within any of the segments between neighbouring bounds. */
function bestOf(values: readonly number[], bounds: readonly number[], minSize: number): Split {
  let best = NONE;
  for (let i = 1; i < bounds.length; i++) {
    const start = bounds[i - 1]!;
    const split = bestSplit(values.slice(start, bounds[i]!), minSize);
    if (split.statistic > best.statistic) best = { ...split, index: split.index + start };
  }
  return best;
}

let kept = new Float64Array(0);

/** The same memory for every permutation: only as many values as are asked for mean anything, and all are written. */
function scratch(length: number): Float64Array {
  if (kept.length < length) kept = new Float64Array(length);
  return kept;
}

/**
 * The split τ that maximises q̂ = nm/(n+m) · (2·mean|X−Y| − mean|X−X'| − mean|Y−Y'|) for X the first τ values and Y those
 * from τ up to κ, over all τ and κ: κ short of the end finds a change that is taken back later. O(n²) time and space.
 */
export function bestSplit(values: readonly number[], minSize: number): Split {
  const n = values.length;
  if (n < 2 * minSize) return NONE;
  const width = n + 1;
  // sums[i·width + j] = Σ |values[a] − values[b]| over a < i and b < j: any block of distances in four look-ups.
  const sums = scratch(width * width);
  sums.fill(0, 0, width);
  for (let i = 0; i < n; i++) {
    const own = values[i]!;
    const above = i * width;
    sums[above + width] = 0;
    let row = 0;
    for (let j = 0; j < n; j++) {
      row += Math.abs(own - values[j]!);
      sums[above + width + j + 1] = sums[above + j + 1]! + row;
    }
  }
  let index = -1;
  let statistic = Number.NEGATIVE_INFINITY;
  for (let left = minSize; left <= n - minSize; left++) {
    const withinLeft = sums[left * width + left]!;
    for (let end = left + minSize; end <= n; end++) {
      const right = end - left;
      const toEnd = sums[left * width + end]!;
      const between = toEnd - withinLeft;
      const withinRight = sums[end * width + end]! - 2 * toEnd + withinLeft;
      const energy =
        (2 * between) / (left * right) -
        withinLeft / (left * (left - 1)) -
        withinRight / (right * (right - 1));
      const q = ((left * right) / end) * energy;
      if (q > statistic) {
        statistic = q;
        index = left;
      }
    }
  }
  return { index, statistic };
}

/** Values change places within their segments only, so that changes already found do not count again. */
function permutationP(
  values: readonly number[],
  bounds: readonly number[],
  observed: number,
  { minSize, level, permutations }: Pick<EDivisiveOptions, 'minSize' | 'level' | 'permutations'>,
  random: RandomGenerator,
): number {
  const shuffled = [...values];
  let asGood = 1;
  for (let done = 0; done < permutations; done++) {
    for (let i = 1; i < bounds.length; i++) shuffle(shuffled, bounds[i - 1]!, bounds[i]!, random);
    if (bestOf(shuffled, bounds, minSize).statistic >= observed * (1 - ROUNDING)) asGood++;
    // It cannot become significant any more, and by how much it misses does not matter.
    if (asGood / (permutations + 1) > level) break;
  }
  return asGood / (permutations + 1);
}

/** Fisher & Yates, in place, from `start` up to but not including `end`. */
function shuffle(values: number[], start: number, end: number, random: RandomGenerator): void {
  for (let i = end - 1; i > start; i--) {
    const j = uniformInt(random, start, i);
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
}
