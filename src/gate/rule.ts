import { hodgesLehmann, upperBound } from '../stats/hodges-lehmann.ts';
import { holmAdjusted } from '../stats/holm.ts';
import { signedRankGreater } from '../stats/signed-rank.ts';

/** The two-stage rule of spec/statistics, "The regression gate". Slowdowns are ln(baseline rate / candidate rate). */
export const GATE = {
  /** Pairs of the first stage unless chosen otherwise. */
  pairs: 15,
  /** Pairs of the second stage, for each of the first. */
  freshFactor: 2,
  /** A slowdown up to this is nobody's business: both stages test against it. */
  margin: Math.log(1.02),
  /** What a cell must be shown to stay below to be `ok`, and what the number of pairs is chosen to find. */
  limit: Math.log(1.05),
  screenLevel: 0.05,
  /**
   * For the whole run: Holm shares it out among the cells of the second stage. Half of what spec/statistics allows, so
   * that "at most 1 % when everything is 2 % slower" holds with room to spare; it costs 6 % more pairs (docs/gate.md).
   */
  decideLevel: 0.005,
  /** The `ok` bound is one-sided at 95 %. */
  boundTail: 0.05,
  /** Chance to find a slowdown of `limit` that the number of pairs is chosen for. */
  power: 0.95,
} as const;

export type Verdict = 'ok' | 'regression' | 'inconclusive';

/** A slowdown and how well it is known, as factors: 1.05 is 5 % slower. */
export interface Slowdown {
  readonly estimate: number;
  /** Two-sided 95 %; null with fewer than six pairs. */
  readonly interval: readonly [low: number, high: number] | null;
  /** One-sided 95 %; infinite with fewer than five pairs. */
  readonly upperBound: number;
}

export function slowdownOf(logs: readonly number[]): Slowdown {
  const { estimate, interval } = hodgesLehmann(logs);
  return {
    estimate: Math.exp(estimate),
    interval: interval && [Math.exp(interval[0]), Math.exp(interval[1])],
    upperBound: Math.exp(upperBound(logs, GATE.boundTail)),
  };
}

const shifted = (logs: ArrayLike<number>, by: number): Float64Array =>
  Float64Array.from(logs, (log) => log - by);

/** p of "slower than the margin". */
export const slowerThanMargin = (logs: ArrayLike<number>): number =>
  signedRankGreater(shifted(logs, GATE.margin));

/** Whether the one-sided 95 % bound of the slowdown stays below the limit: the same test, the other way round. */
export const staysBelowLimit = (logs: ArrayLike<number>): boolean =>
  signedRankGreater(Float64Array.from(logs, (log) => GATE.limit - log)) <= GATE.boundTail;

/**
 * First stage. `clear` cells are ok and done. `flagged` ones look slower than the margin; `unclear` ones are neither.
 * Both of these get fresh pairs: a second stage that looks at fresh pairs alone may be given any cells without more
 * false alarms, and so a slow cell that the screening missed is found, and a sound one on a noisy day is cleared.
 */
export function screen(logs: ArrayLike<number>): 'flagged' | 'unclear' | 'clear' {
  if (slowerThanMargin(logs) <= GATE.screenLevel) return 'flagged';
  return staysBelowLimit(logs) ? 'clear' : 'unclear';
}

/** Second stage: the verdicts of all its cells together, from fresh pairs alone. */
export function decide(fresh: readonly ArrayLike<number>[]): { verdict: Verdict; adjustedP: number }[] {
  const adjusted = holmAdjusted(fresh.map(slowerThanMargin));
  return fresh.map((logs, i) => {
    const adjustedP = adjusted[i]!;
    if (adjustedP <= GATE.decideLevel) return { verdict: 'regression', adjustedP };
    return { verdict: staysBelowLimit(logs) ? 'ok' : 'inconclusive', adjustedP };
  });
}
