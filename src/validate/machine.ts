import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { normalStream } from '../gate/normal-stream.ts';

/**
 * σ of ln of how much the machine's common speed changes between the two halves of a pair: heat, clocks, neighbours.
 * A half is a turn of every cell, as where two configs or two ortbenches are swept in turns.
 */
export const DRIFT = 0.005;
/** Share of measurements that something else disturbs, and how much longer those take on average. */
const SPIKE_SHARE = 0.01;
const SPIKE_MEAN = 0.3;
/** Share of rounds in which every cell is noisier, and how much. */
const STORM_SHARE = 0.02;
const STORM_FACTOR = 3;

/** A machine that is neither quiet nor cooled: what it adds to ln(time) of a measurement. */
export class NoisyMachine {
  readonly normal: () => number;
  readonly #uniform: () => number;
  readonly #drift: number;

  constructor(random: RandomGenerator, drift: number = DRIFT) {
    this.normal = normalStream(random);
    this.#uniform = () => uniformFloat64(random);
    this.#drift = drift;
  }

  uniform(): number {
    return this.#uniform();
  }

  /** Of one round: what the noise of all its measurements is multiplied with. */
  storm(): number {
    return this.#uniform() < STORM_SHARE ? STORM_FACTOR : 1;
  }

  /** ln of how much longer a measurement took because something else ran. */
  spike(): number {
    return this.#uniform() < SPIKE_SHARE ? Math.log1p(-SPIKE_MEAN * Math.log1p(-this.#uniform())) : 0;
  }

  /**
   * Of one round: ln(time) of each cell's candidate less its baseline's, from the drift alone. The common speed walks
   * from turn to turn through one half and then the other, and chance says which side goes first. So all cells of a round
   * share most of their drift, as on a real machine, and rounds share none.
   */
  driftOfRound(cells: number): Float64Array {
    const walk = new Float64Array(2 * cells);
    const step = this.#drift / Math.sqrt(cells);
    for (let turn = 1; turn < walk.length; turn++) walk[turn] = walk[turn - 1]! + step * this.normal();
    const candidateFirst = this.#uniform() < 0.5;
    return Float64Array.from({ length: cells }, (_, cell) => {
      const later = walk[cells + cell]! - walk[cell]!;
      return candidateFirst ? -later : later;
    });
  }
}
