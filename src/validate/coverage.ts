import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { ratioOfMeans } from '../stats/fieller.ts';
import { geometricMeanInterval } from '../stats/geometric-mean.ts';
import { hodgesLehmann } from '../stats/hodges-lehmann.ts';
import { medianInterval } from '../stats/median-interval.ts';
import { judged, type Scenario } from './figure.ts';
import { NoisyMachine } from './machine.ts';

/** Rounds of a run whose intervals are tried. */
const ROUNDS = [6, 10, 15, 30] as const;
/** Samples for each night that the gate is tried on: an interval takes no time. */
const SAMPLES_PER_NIGHT = 4;
const BOUNDS = { atLeast: 0.94, atMost: 0.98 };

/** σ of ln(time) of one measurement. */
const SIGMA = 0.03;
/** ln of what the two sides of a comparison truly differ by. */
const EFFECT = 0.3;
/** Cells of a geometric mean; their noise is spread over what the gate is tried on. */
const AVERAGED = Array.from({ length: 10 }, (_, cell) => 0.01 * 5 ** (cell / 9));

type Interval = readonly [low: number, high: number] | null;

interface Covering {
  readonly claim: string;
  readonly truth: number;
  /** The interval of one run of so many rounds. */
  interval(machine: NoisyMachine, rounds: number): Interval;
}

/** ln(time) of one measurement in every round, of a machine with spikes and storms. */
const measured = (machine: NoisyMachine, rounds: number): number[] =>
  Array.from({ length: rounds }, () => machine.storm() * SIGMA * machine.normal() + machine.spike());

/** ln of the ratio of the two sides of each pair, of a machine with spikes, storms and a drift that the cells share. */
function paired(machine: NoisyMachine, rounds: number, sigmas: readonly number[]): number[][] {
  const logs = sigmas.map(() => new Array<number>(rounds));
  for (let round = 0; round < rounds; round++) {
    const storm = machine.storm();
    const drift = machine.driftOfRound(sigmas.length);
    sigmas.forEach((sigma, cell) => {
      const noise = storm * sigma * (machine.normal() - machine.normal());
      logs[cell]![round] = EFFECT + noise + drift[cell]! + machine.spike() - machine.spike();
    });
  }
  return logs;
}

const COVERINGS: readonly Covering[] = [
  {
    claim: '95 % interval of a speedup (signed-rank) covers the truth, quiet machine',
    truth: EFFECT,
    interval: ({ normal }, rounds) =>
      hodgesLehmann(Array.from({ length: rounds }, () => EFFECT + SIGMA * (normal() - normal()))).interval,
  },
  {
    claim: '95 % interval of a speedup (signed-rank) covers the truth, drift, spikes, storms',
    truth: EFFECT,
    interval: (machine, rounds) => hodgesLehmann(paired(machine, rounds, [SIGMA])[0]!).interval,
  },
  {
    claim: '95 % interval of a geometric mean of 10 speedups (t) covers the truth, drift, spikes, storms',
    truth: Math.exp(EFFECT),
    interval: (machine, rounds) =>
      geometricMeanInterval(paired(machine, rounds, AVERAGED).map((logs) => new Map(logs.entries()))),
  },
  {
    claim: '95 % interval of a median (order statistics) covers the truth, spikes, storms',
    truth: 1,
    interval: (machine, rounds) => medianInterval(measured(machine, rounds).map(Math.exp)),
  },
  {
    claim: '95 % interval of a ratio of unpaired means (Fieller) covers the truth, spikes, storms',
    truth: Math.exp(EFFECT),
    interval: (machine, rounds) =>
      ratioOfMeans(
        measured(machine, rounds).map((log) => Math.exp(EFFECT + log)),
        measured(machine, rounds).map(Math.exp),
        0.95,
      ).interval,
  },
];

/** Every kind of interval that reports print, for each number of rounds. */
export const COVERAGE: readonly Scenario[] = COVERINGS.flatMap((covering, kind) =>
  ROUNDS.map((rounds, i) => scenario(covering, rounds, 40 + 10 * kind + i)),
);

function scenario({ claim, truth, interval }: Covering, rounds: number, seed: number): Scenario {
  const what = { claim, variant: `n = ${rounds}` };
  return {
    ...what,
    run(nights) {
      const machine = new NoisyMachine(xoroshiro128plus(seed));
      const samples = nights * SAMPLES_PER_NIGHT;
      let covered = 0;
      for (let i = 0; i < samples; i++) {
        const found = interval(machine, rounds);
        if (found !== null && found[0] <= truth && truth <= found[1]) covered++;
      }
      return judged(what, covered / samples, samples, BOUNDS);
    },
  };
}
