import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { normalStream } from '../gate/normal-stream.ts';
import { hodgesLehmann } from '../stats/hodges-lehmann.ts';
import { type Night, simulateNight } from './night.ts';

/** One checked figure of the proof: what was asked for, what was seen. */
export interface Figure {
  readonly name: string;
  readonly unit: 'share';
  readonly value: number;
  /** How many nights, gates or samples it rests on. */
  readonly trials: number;
  readonly atLeast: number | null;
  readonly atMost: number | null;
  readonly holds: boolean;
  /** Mean first-stage pairs, where the gate ran. */
  readonly meanPairs: number | null;
}

export interface Scenario {
  readonly name: string;
  run(nights: number): Figure;
}

const NOISE = [0.01, 0.05] as const;
const PILOT = 15;
const CELLS = 100;
/** Share of the cells that a bad night makes slower. */
const SLOWED_CELLS = 5;

const judged = (
  name: string,
  value: number,
  trials: number,
  bounds: { atLeast?: number; atMost?: number },
  meanPairs: number | null = null,
): Figure => {
  const { atLeast = null, atMost = null } = bounds;
  const holds = trials > 0 && (atLeast === null || value >= atLeast) && (atMost === null || value <= atMost);
  return { name, unit: 'share', value, trials, atLeast, atMost, holds, meanPairs };
};

function falseAlarms(
  name: string,
  seed: number,
  night: Pick<Night, 'pairs' | 'slowdown'>,
  atMost: number,
): Scenario {
  return {
    name,
    run(nights) {
      const random = xoroshiro128plus(seed);
      let alarms = 0;
      let pairs = 0;
      for (let i = 0; i < nights; i++) {
        const result = simulateNight({ cells: CELLS, noise: nightNoise(random), ...night }, random);
        if (result.verdicts.includes('regression')) alarms++;
        pairs += result.pairs;
      }
      return judged(name, alarms / nights, nights, { atMost }, pairs / nights);
    },
  };
}

/** Nights differ more than the cells of one night: each has a noise of its own, and cells within 30 % of it. */
function nightNoise(random: RandomGenerator): [number, number] {
  const [low, high] = NOISE;
  const own = low * (high / low) ** (((random.next() >>> 0) + 0.5) / 2 ** 32);
  return [Math.max(low, own / 1.3), Math.min(high, own * 1.3)];
}

/** Verdicts on slowed cells alone: what share of them is called a regression, or (`missed`) ok. */
function power(noise: readonly [number, number], cells: number, seed: number): Scenario {
  const [low, high] = noise.map((sigma) => `${100 * sigma}`) as [string, string];
  const range = low === high ? `${low} %` : `${low}–${high} %`;
  const name = `found at +5 %, noise ${range}, ${cells === 1 ? '1 cell' : `${cells} cells`}, pairs chosen`;
  const slowed = Math.min(SLOWED_CELLS, cells);
  return {
    name,
    run(nights) {
      const random = xoroshiro128plus(seed);
      const runs = Math.max(1, Math.round((nights * SLOWED_CELLS) / (10 * slowed)));
      let found = 0;
      let pairs = 0;
      for (let i = 0; i < runs; i++) {
        const slowdown = (cell: number) => (cell < slowed ? 1.05 : 1);
        const result = simulateNight({ cells, noise, pairs: { pilot: PILOT }, slowdown }, random);
        found += result.verdicts.slice(0, slowed).filter((verdict) => verdict === 'regression').length;
        pairs += result.pairs;
      }
      return judged(name, found / (runs * slowed), runs * slowed, { atLeast: 0.95 }, pairs / runs);
    },
  };
}

function coverage(n: number, seed: number): Scenario {
  const name = `95 % interval covers the truth, ${n} pairs`;
  const truth = 0.3;
  return {
    name,
    run(nights) {
      const random = xoroshiro128plus(seed);
      const normal = normalStream(random);
      const samples = nights * 4;
      let covered = 0;
      for (let i = 0; i < samples; i++) {
        const logs = Array.from({ length: n }, () => truth + 0.03 * (normal() - normal()));
        const [low, high] = hodgesLehmann(logs).interval!;
        if (low <= truth && truth <= high) covered++;
      }
      return judged(name, covered / samples, samples, { atLeast: 0.94, atMost: 0.98 });
    },
  };
}

const none = () => 1;
const twoPercent = () => 1.02;

/** Everything that `npm run validate:statistics` shows. */
export const SCENARIOS: readonly Scenario[] = [
  falseAlarms('false alarm of a night, no change, 15 pairs', 1, { pairs: 15, slowdown: none }, 0.001),
  falseAlarms(
    'false alarm of a night, all cells 2 % slower, 15 pairs',
    2,
    { pairs: 15, slowdown: twoPercent },
    0.01,
  ),
  falseAlarms(
    'false alarm of a night, no change, pairs chosen',
    3,
    { pairs: { pilot: PILOT }, slowdown: none },
    0.001,
  ),
  falseAlarms(
    'false alarm of a night, all cells 2 % slower, pairs chosen',
    4,
    { pairs: { pilot: PILOT }, slowdown: twoPercent },
    0.01,
  ),
  ...[0.01, 0.02, 0.03, 0.04, 0.05].map((sigma, i) => power([sigma, sigma], CELLS, 10 + i)),
  ...[0.01, 0.03, 0.05].map((sigma, i) => power([sigma, sigma], 1, 20 + i)),
  power(NOISE, CELLS, 30),
  ...[6, 10, 15, 30].map((n, i) => coverage(n, 40 + i)),
];
