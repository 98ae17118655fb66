import type { ScheduledCell } from '../schedule.ts';

/** What the parity check of one block runs, the same for all its sessions and the reference. */
export interface ParityShape {
  readonly batchSize: number;
  readonly promptLength: number;
  /** Forced continuation tokens per sequence. */
  readonly steps: number;
}

const STEPS = 32;

/**
 * The smallest shape of the block that has more than one sequence, where there is one: a shape that is measured anyway
 * costs an engine that compiles nothing extra, and more than one row shows whether rows of a batch touch.
 */
export function parityShape(cells: readonly ScheduledCell[], maxContextLength: number): ParityShape {
  const batchSizes = cells.map(({ cell }) => cell.batchSize).sort((a, b) => a - b);
  const shortest = cells.reduce((least, { cell }) => Math.min(least, cell.promptLength.length), Infinity);
  return {
    batchSize: batchSizes.find((size) => size > 1) ?? 1,
    promptLength: Math.max(1, Math.min(shortest, maxContextLength - STEPS - 1)),
    steps: STEPS,
  };
}

/** Tokens per sequence that a session must have room for. */
export const parityCapacity = ({ promptLength, steps }: ParityShape): number => promptLength + steps + 1;
