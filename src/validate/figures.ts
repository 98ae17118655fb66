import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { COVERAGE } from './coverage.ts';
import { judged, type Scenario } from './figure.ts';
import { type Night, simulateNight } from './night.ts';

const NOISE = [0.01, 0.05] as const;
const PILOT = 15;
const CELLS = 100;
/** Share of the cells that a bad night makes slower. */
const SLOWED_CELLS = 5;
/** Four times the usual: a laptop that throttles while the gate runs. */
const HEAVY_DRIFT = 0.02;

/** Which nights, how the pairs are given, and what is promised. */
interface Alarms {
  readonly claim: string;
  readonly variant: string;
  readonly night: Pick<Night, 'pairs' | 'slowdown' | 'drift'>;
  readonly atMost: number;
}

function falseAlarms({ claim, variant, night, atMost }: Alarms, seed: number): Scenario {
  const what = { claim, variant };
  return {
    ...what,
    run(nights) {
      const random = xoroshiro128plus(seed);
      let alarms = 0;
      let pairs = 0;
      for (let i = 0; i < nights; i++) {
        const result = simulateNight({ cells: CELLS, noise: nightNoise(random), ...night }, random);
        if (result.verdicts.includes('regression')) alarms++;
        pairs += result.pairs;
      }
      return judged(what, alarms / nights, nights, { atMost }, pairs / nights);
    },
  };
}

/** Nights differ more than the cells of one night: each has a noise of its own, and cells within 30 % of it. */
function nightNoise(random: RandomGenerator): [number, number] {
  const [low, high] = NOISE;
  const own = low * (high / low) ** uniformFloat64(random);
  return [Math.max(low, own / 1.3), Math.min(high, own * 1.3)];
}

/** Verdicts on slowed cells alone: what share of them is called a regression, with the pairs that the gate chooses. */
function power(noise: readonly [number, number], cells: number, seed: number): Scenario {
  const [low, high] = noise.map((sigma) => `${100 * sigma}`) as [string, string];
  const what = {
    claim: `a cell that is 5 % slower is found, ${cells === 1 ? '1 cell' : `${cells} cells`}, pairs chosen`,
    variant: `noise ${low === high ? low : `${low}–${high}`} %`,
  };
  const slowed = Math.min(SLOWED_CELLS, cells);
  return {
    ...what,
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
      return judged(what, found / (runs * slowed), runs * slowed, { atLeast: 0.95 }, pairs / runs);
    },
  };
}

const FIFTEEN = { variant: '15 pairs', pairs: 15 };
const CHOSEN = { variant: 'pairs chosen', pairs: { pilot: PILOT } };
const DRIFTING = { variant: '15 pairs and four times the drift', pairs: 15, drift: HEAVY_DRIFT };

const UNCHANGED = { claim: 'false alarm of a night, no change', slowdown: () => 1, atMost: 0.001 };
const AT_MARGIN = {
  claim: 'false alarm of a night, all cells 2 % slower',
  slowdown: () => 1.02,
  atMost: 0.01,
};

/** Everything that `npm run validate:statistics` shows. Seeds are fixed: a figure is the same on every machine. */
export const SCENARIOS: readonly Scenario[] = [
  ...[UNCHANGED, AT_MARGIN].flatMap(({ claim, slowdown, atMost }, which) =>
    [FIFTEEN, CHOSEN, DRIFTING].map(({ variant, ...night }, i) =>
      falseAlarms({ claim, variant, night: { slowdown, ...night }, atMost }, 1 + 3 * which + i),
    ),
  ),
  ...[0.01, 0.02, 0.03, 0.04, 0.05].map((sigma, i) => power([sigma, sigma], CELLS, 10 + i)),
  power(NOISE, CELLS, 30),
  ...[0.01, 0.03, 0.05].map((sigma, i) => power([sigma, sigma], 1, 20 + i)),
  ...COVERAGE,
];
