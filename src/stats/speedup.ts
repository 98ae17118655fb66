import { median } from './descriptive.ts';
import { FEWEST_FOR_INTERVAL, hodgesLehmann } from './hodges-lehmann.ts';

/** Throughput of one phase by round. */
export type Series = ReadonlyMap<number, number>;

export interface Speedup {
  readonly ratio: number;
  /** 95 %; null with fewer than six pairs. */
  readonly interval: readonly [low: number, high: number] | null;
  /** d = ln(x/baseline) by round. */
  readonly logRatios: ReadonlyMap<number, number>;
}

/**
 * Speedup of x over a baseline from pairs of the same round (spec/statistics, "Speedups"): exp of the Hodges–Lehmann
 * estimate of d with the exact signed-rank interval; with fewer than six pairs the ratio of medians and no interval.
 * Null when no round has both.
 */
export function pairedSpeedup(x: Series, baseline: Series): Speedup | null {
  const logRatios = new Map<number, number>();
  for (const [round, rate] of x) {
    const base = baseline.get(round);
    if (base !== undefined) logRatios.set(round, Math.log(rate / base));
  }
  if (logRatios.size === 0) return null;
  if (logRatios.size < FEWEST_FOR_INTERVAL) {
    const rounds = [...logRatios.keys()];
    const ratio =
      median(rounds.map((round) => x.get(round)!)) / median(rounds.map((round) => baseline.get(round)!));
    return { ratio, interval: null, logRatios };
  }
  const { estimate, interval } = hodgesLehmann([...logRatios.values()]);
  return {
    ratio: Math.exp(estimate),
    interval: interval && [Math.exp(interval[0]), Math.exp(interval[1])],
    logRatios,
  };
}
