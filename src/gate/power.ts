import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { percentile } from '../stats/descriptive.ts';
import { lowerBound, upperBound } from '../stats/hodges-lehmann.ts';
import { robustSpread, spreadBound, spreadDegrees } from '../stats/noise.ts';
import { signedRankCritical } from '../stats/signed-rank.ts';
import { normalStream } from './normal-stream.ts';
import { GATE } from './rule.ts';

/** Runs of the little simulation below: its 95 % point is then good to about two percent. */
const TRIALS = 2000;
const SEED = 20_000;

/** Slowdowns beyond the margin, in units of the pairs' standard deviation, that are found with the power of the rule. */
export interface Detectable {
  /** Whatever its size: flagged by the first stage, then decided. */
  readonly anywhere: number;
  /** When it is at least the limit: the first stage then must only not call it clear. */
  readonly fromLimit: number;
}

const known = new Map<string, Detectable>();

/**
 * What a gate of `pairs` first-stage pairs finds. A stage rejects when its lower confidence bound is above the margin, so
 * each trial of normal noise says how far it would have to be shifted, and the answer is the 95 % point of that. In the
 * second stage the level is what Holm leaves the first of `comparisons` cells, the worst case. ∞ where no shift is enough.
 */
export function detectable(pairs: number, comparisons: number): Detectable {
  const key = `${pairs} ${comparisons}`;
  const found = known.get(key) ?? simulateShifts(pairs, comparisons);
  known.set(key, found);
  return found;
}

function simulateShifts(pairs: number, comparisons: number): Detectable {
  const freshPairs = GATE.freshFactor * pairs;
  const decideTail = GATE.decideLevel / comparisons;
  const possible =
    signedRankCritical(pairs, GATE.screenLevel) >= 0 && signedRankCritical(freshPairs, decideTail) >= 0;
  if (!possible) return { anywhere: Number.POSITIVE_INFINITY, fromLimit: Number.POSITIVE_INFINITY };
  const normal = normalStream(xoroshiro128plus(SEED));
  const screening = new Float64Array(pairs);
  const fresh = new Float64Array(freshPairs);
  const anywhere = new Float64Array(TRIALS);
  const fromLimit = new Float64Array(TRIALS);
  for (let trial = 0; trial < TRIALS; trial++) {
    fill(screening, normal);
    fill(fresh, normal);
    const toFlag = -lowerBound(screening, GATE.screenLevel);
    const toDecide = -lowerBound(fresh, decideTail);
    // At the limit the noise alone makes a cell clear: when its upper bound falls below the truth.
    const mayBeClear = upperBound(screening, GATE.boundTail) < 0;
    anywhere[trial] = Math.max(toFlag, toDecide);
    fromLimit[trial] = mayBeClear ? Math.max(toFlag, toDecide) : toDecide;
  }
  return { anywhere: percentile(anywhere, GATE.power), fromLimit: percentile(fromLimit, GATE.power) };
}

function fill(values: Float64Array, next: () => number): void {
  for (let i = 0; i < values.length; i++) values[i] = next();
}

/** The smallest slowdown, as a factor, that so many pairs would have found with the power of the rule. */
export function smallestFindable(spread: number, pairs: number, comparisons: number): number {
  const { anywhere, fromLimit } = detectable(pairs, comparisons);
  if (fromLimit === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
  const shift = Math.min(anywhere * spread, Math.max(fromLimit * spread, GATE.limit - GATE.margin));
  return Math.exp(GATE.margin + shift);
}

/** Fewest pairs that are chosen: among fewer, one spike decides. */
export const FEWEST_PAIRS = 10;
/** Most pairs of a first stage: twice as many are the most that the exact test of the second takes. */
export const MOST_PAIRS = 200;

/** Numbers of pairs to choose from: finer steps than these would be within the error of any guess at the noise. */
const STEPS = [
  ...steps(FEWEST_PAIRS, 20, 1),
  ...steps(22, 40, 2),
  ...steps(45, 100, 5),
  ...steps(110, MOST_PAIRS, 10),
];

function steps(from: number, to: number, by: number): number[] {
  return Array.from({ length: Math.floor((to - from) / by) + 1 }, (_, i) => from + i * by);
}

export interface PairChoice {
  readonly pairs: number;
  /** Standard deviation of ln(baseline/candidate) that they were chosen for. */
  readonly spread: number;
  /** False when `most` was not enough: the run will find only larger slowdowns, and says which. */
  readonly enough: boolean;
}

/**
 * First-stage pairs for 95 % power at 5 %, from the noise of pairs seen before (a pilot whose pairs are not used again,
 * or a stored run): fixed before the gate starts, so there is no optional stopping.
 *
 * The noise it prepares for is the larger of an upper 90 % bound of the comparisons' pooled spread, which makes up for
 * a short pilot, and the 80th percentile of their own spreads, which makes up for comparisons noisier than the rest.
 * @param logs of each comparison, at least two values each.
 */
export function choosePairs(logs: readonly (readonly number[])[], most: number = MOST_PAIRS): PairChoice {
  const spread = designSpread(logs);
  const comparisons = logs.length;
  const isEnough = (pairs: number) =>
    detectable(pairs, comparisons).fromLimit * spread <= GATE.limit - GATE.margin;
  const choices = [...STEPS.filter((pairs) => pairs < most), most];
  // More pairs find more: the first that is enough, by bisection.
  let low = 0;
  let high = choices.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (isEnough(choices[middle]!)) high = middle;
    else low = middle + 1;
  }
  const enough = low < choices.length;
  return { pairs: enough ? choices[low]! : most, spread, enough };
}

function designSpread(logs: readonly (readonly number[])[]): number {
  const spreads = logs.map(robustSpread);
  const degrees = logs.map(({ length }) => spreadDegrees(length));
  const total = degrees.reduce((sum, own) => sum + own, 0);
  const pooled = Math.sqrt(spreads.reduce((sum, own, i) => sum + degrees[i]! * own ** 2, 0) / total);
  return Math.max(pooled * spreadBound(total, 0.9), percentile(spreads, 0.8));
}
