import type { ClockReading } from '../schema/record.ts';
import { formatNumber, formatPercent } from '../units.ts';
import { median } from './descriptive.ts';

/** One round, as this looks at it. Records of earlier versions have no clock. */
export interface ClockedRound {
  readonly round: number;
  readonly clock?: ClockReading | undefined;
}

/** Clocks wander by a step or two under one load; beyond this share of the usual one the rounds had other machines. */
const CLOCK_SHARE = 0.05;
/** Share of a round that a quota may hold threads back before it shows in the times. */
const QUOTA_SHARE = 0.01;
const HEAT = /thermal|slowdown|brake/;

/**
 * What shows that rounds did not have the same clock (spec/statistics, `throttled`): heat events, a quota, a clock apart
 * from the others, or other reasons to throttle. In words; null when nothing does, or nothing could be read.
 */
export function throttling(rounds: readonly ClockedRound[]): string | null {
  const clocked = rounds.flatMap(({ round, clock }) => (clock ? [{ round, ...clock }] : []));
  const where = (found: readonly { round: number }[]) =>
    `round ${found.map(({ round }) => round).join(', ')}`;
  const hot = clocked.filter((own) => (own.thermalThrottles ?? 0) > 0);
  const held = clocked.filter((own) => (own.quotaThrottledNs ?? 0) > QUOTA_SHARE * own.watchedNs);
  const found = [
    ...(hot.length > 0 ? [`slowed for heat in ${where(hot)}`] : []),
    ...(held.length > 0
      ? [
          `held back by the CPU quota in ${where(held)} (up to ${formatPercent(longestHold(held))} of its time)`,
        ]
      : []),
    ...apart(
      'processor',
      clocked.map(({ round, cpuMHz }) => ({ round, mhz: cpuMHz })),
    ),
    ...apart(
      'GPU',
      clocked.map(({ round, gpuMHz }) => ({ round, mhz: gpuMHz })),
    ),
    ...gpuReasons(clocked),
  ];
  return found.length === 0 ? null : found.join('; ');
}

const longestHold = (held: readonly Pick<ClockReading, 'quotaThrottledNs' | 'watchedNs'>[]): number =>
  Math.max(...held.map(({ quotaThrottledNs, watchedNs }) => (quotaThrottledNs ?? 0) / watchedNs));

function apart(what: string, rounds: readonly { round: number; mhz: number | null }[]): string[] {
  const told = rounds.flatMap(({ round, mhz }) => (mhz === null ? [] : [{ round, mhz }]));
  if (told.length < 2) return [];
  const usual = median(told.map(({ mhz }) => mhz));
  return told
    .filter(({ mhz }) => Math.abs(mhz / usual - 1) > CLOCK_SHARE)
    .map(
      ({ round, mhz }) =>
        `${what} clock ${formatNumber(mhz)} MHz in round ${round}, usually ${formatNumber(usual)}`,
    )
    .slice(0, 3);
}

/** A power cap that holds in every round is how this GPU runs; one that comes and goes, or heat, is not. */
function gpuReasons(rounds: readonly ({ round: number } & ClockReading)[]): string[] {
  const told = rounds.flatMap(({ round, gpuThrottleReasons }) =>
    gpuThrottleReasons === null ? [] : [{ round, reasons: gpuThrottleReasons }],
  );
  return [...new Set(told.flatMap(({ reasons }) => reasons))].flatMap((reason) => {
    const having = told.filter(({ reasons }) => reasons.includes(reason));
    if (having.length === told.length && !HEAT.test(reason)) return [];
    return [`GPU held back (${reason}) in round ${having.map(({ round }) => round).join(', ')}`];
  });
}
