import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { choosePairs } from '../gate/power.ts';
import { decide, GATE, screen, type Verdict } from '../gate/rule.ts';
import { NoisyMachine } from './machine.ts';

/** One night of the gate, as a machine that is neither quiet nor cooled could make it. */
export interface Night {
  readonly cells: number;
  /** σ of ln(time) of one measurement; each cell draws its own, log-uniformly, from this range. */
  readonly noise: readonly [low: number, high: number];
  /** First-stage pairs, or `auto`: chosen by the gate from a pilot of that many pairs, which is then thrown away. */
  readonly pairs: number | { readonly pilot: number };
  /** Candidate time over baseline time of each cell. */
  readonly slowdown: (cell: number) => number;
  /** σ of ln between the two halves of a pair, shared by the cells; the usual one unless given. */
  readonly drift?: number;
}

export interface NightResult {
  readonly verdicts: readonly Verdict[];
  readonly pairs: number;
  /** Cells that went on to the second stage. */
  readonly advanced: number;
}

export function simulateNight(night: Night, random: RandomGenerator): NightResult {
  const machine = new NoisyMachine(random, night.drift);
  const [low, high] = night.noise;
  const cells = Array.from({ length: night.cells }, (_, cell) => ({
    sigma: low * (high / low) ** machine.uniform(),
    effect: Math.log(night.slowdown(cell)),
  }));
  const measure = (which: readonly number[], pairs: number): Float64Array[] => {
    const logs = which.map(() => new Float64Array(pairs));
    for (let round = 0; round < pairs; round++) {
      const storm = machine.storm();
      const drift = machine.driftOfRound(which.length);
      which.forEach((cell, i) => {
        const { sigma, effect } = cells[cell]!;
        const noise = storm * sigma * (machine.normal() - machine.normal());
        logs[i]![round] = effect + noise + drift[i]! + machine.spike() - machine.spike();
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
