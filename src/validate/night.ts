import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { normalStream } from '../gate/normal-stream.ts';
import { choosePairs } from '../gate/power.ts';
import { decide, GATE, screen, type Verdict } from '../gate/rule.ts';

/** One night of the gate, as a machine that is neither quiet nor cooled could make it. */
export interface Night {
  readonly cells: number;
  /** σ of ln(time) of one measurement; each cell draws its own, log-uniformly, from this range. */
  readonly noise: readonly [low: number, high: number];
  /** First-stage pairs, or `auto`: chosen by the gate from a pilot of that many pairs, which is then thrown away. */
  readonly pairs: number | { readonly pilot: number };
  /** Candidate time over baseline time of each cell. */
  readonly slowdown: (cell: number) => number;
}

/** The machine's common speed changes this much (σ of ln) between two turns of a round: heat, clocks, neighbours. */
const DRIFT = 0.002;
/** Share of measurements that something else disturbs, and how much longer those take on average. */
const SPIKE_SHARE = 0.01;
const SPIKE_MEAN = 0.3;
/** Share of rounds in which every cell is noisier, and how much. */
const STORM_SHARE = 0.02;
const STORM_FACTOR = 3;

export interface NightResult {
  readonly verdicts: readonly Verdict[];
  readonly pairs: number;
  /** Cells that went on to the second stage. */
  readonly advanced: number;
}

export function simulateNight(night: Night, random: RandomGenerator): NightResult {
  const normal = normalStream(random);
  const uniform = () => uniformFloat64(random);
  const [low, high] = night.noise;
  const cells = Array.from({ length: night.cells }, (_, cell) => ({
    sigma: low * (high / low) ** uniform(),
    effect: Math.log(night.slowdown(cell)),
  }));
  const measure = (which: readonly number[], pairs: number): Float64Array[] => {
    const logs = which.map(() => new Float64Array(pairs));
    for (let round = 0; round < pairs; round++) {
      const storm = uniform() < STORM_SHARE ? STORM_FACTOR : 1;
      which.forEach((cell, i) => {
        const { sigma, effect } = cells[cell]!;
        // Whichever of the two came second had the machine of a moment later.
        const drift = DRIFT * normal();
        logs[i]![round] =
          effect + storm * sigma * (normal() - normal()) + drift + spike(uniform) - spike(uniform);
      });
    }
    return logs;
  };
  const all = cells.map((_, cell) => cell);
  const pairs =
    typeof night.pairs === 'number'
      ? night.pairs
      : choosePairs(measure(all, night.pairs.pilot).map((logs) => [...logs])).pairs;
  const screened = measure(all, pairs).map(screen);
  const advanced = all.filter((cell) => screened[cell] !== 'clear');
  const decided = decide(measure(advanced, GATE.freshFactor * pairs));
  const verdicts = new Array<Verdict>(night.cells).fill('ok');
  advanced.forEach((cell, i) => {
    verdicts[cell] = decided[i]!.verdict;
  });
  return { verdicts, pairs, advanced: advanced.length };
}

/** ln of how much longer a measurement took because something else ran. */
function spike(uniform: () => number): number {
  return uniform() < SPIKE_SHARE ? Math.log1p(-SPIKE_MEAN * Math.log1p(-uniform())) : 0;
}
