import type { Effective } from '../schema/protocol.ts';
import type { ClockReading } from '../schema/record.ts';
import { PHASES, type Phase } from '../schema/vocabulary.ts';
import { formatNumber, formatPercent } from '../units.ts';
import { coefficientOfVariation, median, medianAbsoluteDeviation } from './descriptive.ts';
import { medianInterval } from './median-interval.ts';
import { PHASE_RATE, type Rates } from './rates.ts';
import { spearman } from './spearman.ts';
import { throttling } from './throttling.ts';

/** The closed list of warnings on a measured cell (spec/statistics), each with what to do about it. Nothing is ever deleted. */
export const FLAGS = {
  noisy:
    'Rounds differ by 10 % or more (coefficient of variation): close other programs, fix the clock speed, use more repetitions.',
  outlier:
    'A round lies far from the others (over 14.8 median absolute deviations): look for a background task at that time.',
  'warmup-insufficient':
    'The first round was clearly slower than the rest: raise warmup.runs or warmup.seconds.',
  drift:
    'Speed rose or fell steadily over the run (Spearman p < .01): the machine warmed up or was shared; let it cool, or run again.',
  throttled:
    'The clock was not the same in all rounds, or something held the machine back: cool it, fix the clock speed and the power limit, lift the CPU quota, and run again.',
  imprecise: 'The 95 % interval of the median is wider than ±5 %: use more repetitions.',
  'busy-machine': 'Other programs used the processor while this was timed: stop them and run again.',
  'idle-load':
    'Another loaded engine used the processor while this was timed: let its threads sleep when idle (spinning off), or run it in a sweep of its own.',
  'below-peers':
    'Far slower than another engine at the same work, where arithmetic takes the time: look at its build and threads (ortbench doctor).',
  implausible:
    'Faster than this machine can be: look whether the engine waits for its device and does all of its work, then measure the roof anew with ortbench doctor --roofline.',
  'own-tool':
    "Timed by the engine's own benchmark tool, on random tokens of its own: parity and ids cannot be checked, so no speedup is taken: use a library of a version that ortbench can call, or divide all the same with --no-parity.",
  'computed-in-fp32':
    'Narrower weights, multiplied in fp32 because the sweep insisted on a precision that the engine has no kernels for here: the figures are those of fp32 with casts. Leave the precision out, or run it where the engine computes in it.',
  'software-device':
    'The device is a software renderer on the processor: these figures show that the path works, not how fast a GPU is: use a real one.',
  'slow-build': 'This build of the engine is known to be slow at this work: use a native build.',
} as const;
export type FlagName = keyof typeof FLAGS;

export interface Flag {
  readonly name: FlagName;
  /** Null when it concerns the whole cell. */
  readonly phase: Phase | null;
  /** The figure that raised it, in words. */
  readonly detail: string;
}

/** One round of a cell, as flags look at it. */
export interface Round {
  readonly round: number;
  readonly startedNs: number;
  readonly otherLoadCores: number | null;
  /** Of the other engines that were loaded. */
  readonly idleCores?: number | null | undefined;
  readonly idleSession?: string | null | undefined;
  /** Absent where it was not looked at. */
  readonly clock?: ClockReading | undefined;
  readonly rates: Rates;
}

/** Other load, in cores, from which a round counts as disturbed. */
const BUSY_CORES = 0.25;
/** A thread that spins uses a whole core, one that sleeps none; what a runtime does now and then stays below this. */
const IDLE_CORES = 0.1;
/** Spread says nothing with fewer rounds than this. */
const FEWEST_ROUNDS = 3;

/**
 * All flags of a cell, from its rounds in order of time and what its engine reported. An engine that knows its build to
 * be slow says why in `effective.slowBuild`, one that is driven through its own benchmark tool names it in
 * `effective.ownTool`, one that was seen to compute in fp32 what is narrower says of what in `effective.upcast`.
 */
export function flagsOf(rounds: readonly Round[], effective: Effective): Flag[] {
  const flags = PHASES.flatMap((phase) => phaseFlags(phase, rounds));
  const load = Math.max(...rounds.map(({ otherLoadCores }) => otherLoadCores ?? 0));
  if (load > BUSY_CORES) {
    flags.push({
      name: 'busy-machine',
      phase: null,
      detail: `up to ${formatNumber(load, 2)} cores of other load`,
    });
  }
  const [most] = rounds.toSorted((a, b) => (b.idleCores ?? 0) - (a.idleCores ?? 0));
  if ((most?.idleCores ?? 0) > IDLE_CORES) {
    flags.push({
      name: 'idle-load',
      phase: null,
      detail: `up to ${formatNumber(most!.idleCores!, 2)} cores, most of it ${most!.idleSession ?? 'unknown'}`,
    });
  }
  const held = throttling(rounds);
  if (held !== null) flags.push({ name: 'throttled', phase: null, detail: held });
  if (typeof effective.upcast === 'string') {
    flags.push({ name: 'computed-in-fp32', phase: null, detail: effective.upcast });
  }
  if (typeof effective.softwareDevice === 'string') {
    flags.push({ name: 'software-device', phase: null, detail: effective.softwareDevice });
  }
  if (typeof effective.slowBuild === 'string') {
    flags.push({ name: 'slow-build', phase: null, detail: effective.slowBuild });
  }
  if (typeof effective.ownTool === 'string') {
    flags.push({ name: 'own-tool', phase: null, detail: effective.ownTool });
  }
  return flags;
}

function phaseFlags(phase: Phase, rounds: readonly Round[]): Flag[] {
  if (rounds.length < FEWEST_ROUNDS) return [];
  const rates = rounds.map((round) => round.rates[PHASE_RATE[phase]]);
  const flags: Flag[] = [];
  const add = (name: FlagName, detail: string) => flags.push({ name, phase, detail });

  const variation = coefficientOfVariation(rates);
  if (variation >= 0.1) add('noisy', `coefficient of variation ${formatPercent(variation)}`);

  const centre = median(rates);
  const spread = medianAbsoluteDeviation(rates);
  const outliers = rounds.filter((_, i) => Math.abs(rates[i]! - centre) > 14.826 * spread);
  if (outliers.length > 0) add('outlier', `round ${outliers.map(({ round }) => round).join(', ')}`);

  // The warm-up rule is about times; the work is the same in every round, so 1/rate is a time.
  const times = rates.map((rate) => 1 / rate);
  const usual = median(times);
  const bound = Math.max(1.05 * usual, usual + 3 * 1.4826 * medianAbsoluteDeviation(times));
  if (times[0]! > bound)
    add('warmup-insufficient', `first round ${formatPercent(times[0]! / usual - 1)} slower`);

  const { rho, p } = spearman(
    rounds.map(({ startedNs }) => startedNs),
    rates,
  );
  if (p < 0.01) add('drift', `rank correlation with time ${formatNumber(rho, 2)}`);

  const interval = medianInterval(rates);
  const halfWidth = interval === null ? 0 : (interval[1] - interval[0]) / 2 / centre;
  if (halfWidth > 0.05) add('imprecise', `95 % interval ±${formatPercent(halfWidth)}`);
  return flags;
}
