import type { PromptLength } from '../../schema/cell.ts';
import type { ModelShape } from '../../schema/model.ts';
import type { ScheduledCell } from '../schedule.ts';

/** What one parity check of a block runs, the same for all its sessions and the reference. */
export interface ParityShape {
  readonly batchSize: number;
  /** With a spread, the batch holds the longest and the shortest prompt that it allows. */
  readonly promptLength: PromptLength;
  /** Forced continuation tokens per sequence. */
  readonly steps: number;
}

const STEPS = 32;

/** The prompts of such a cell differ in length. */
const isRagged = ({ cell }: ScheduledCell): boolean => cell.promptLength.spread > 0 && cell.batchSize > 1;

/**
 * One shape for the block's uniform batches and one for its ragged ones, where it has them. Each is the smallest of the
 * block's own shapes that has more than one sequence, where there is one: a shape that is measured anyway costs an engine
 * that compiles nothing extra, and more than one row shows whether rows of a batch touch. Where attention has a window
 * that cells outgrow, the prompt is one that does.
 */
export function parityShapes(
  cells: readonly ScheduledCell[],
  model: Pick<ModelShape, 'maxContextLength' | 'slidingWindow'>,
): ParityShape[] {
  return [cells.filter((cell) => !isRagged(cell)), cells.filter(isRagged)].flatMap((kind) =>
    kind.length === 0 ? [] : [shapeOf(kind, model)],
  );
}

/** Those of the block's shapes that a session's own cells are like. */
export function shapesFor(shapes: readonly ParityShape[], cells: readonly ScheduledCell[]): ParityShape[] {
  return shapes.filter(({ promptLength }) =>
    cells.some((cell) => isRagged(cell) === promptLength.spread > 0),
  );
}

function shapeOf(
  cells: readonly ScheduledCell[],
  { maxContextLength, slidingWindow }: Pick<ModelShape, 'maxContextLength' | 'slidingWindow'>,
): ParityShape {
  const batchSizes = cells.map(({ cell }) => cell.batchSize).sort((a, b) => a - b);
  const lengths = cells.map(({ cell }) => cell.promptLength.length).sort((a, b) => a - b);
  // A kind is ragged as a whole; its widest spread has the most padding.
  const spread = isRagged(cells[0]!) ? Math.max(...cells.map(({ cell }) => cell.promptLength.spread)) : 0;
  // By the prompt itself where one does: then prefill and decode are both beyond the window.
  const outgrown = slidingWindow
    ? (lengths.find((length) => length > slidingWindow) ??
      lengths.find((length) => length + STEPS > slidingWindow))
    : undefined;
  const length = outgrown ?? lengths[0]!;
  return {
    batchSize: batchSizes.find((size) => size > 1) ?? 1,
    promptLength: {
      length: Math.max(1, Math.min(length, maxContextLength - STEPS - 1)),
      spread,
    },
    steps: STEPS,
  };
}

/** The shape for an engine that computes the model on shorter sequences only: with fewer tokens, where it must. */
export function within(shape: ParityShape, mostTokens: number): ParityShape {
  if (parityCapacity(shape) <= mostTokens) return shape;
  const steps = Math.min(shape.steps, Math.floor(mostTokens / 2));
  const length = Math.max(1, Math.min(shape.promptLength.length, mostTokens - steps - 1));
  return { ...shape, steps, promptLength: { ...shape.promptLength, length } };
}

/** Prompt lengths of its sequences: evenly from the longest to the shortest. */
export function promptLengths({ batchSize, promptLength: { length, spread } }: ParityShape): number[] {
  const shortest = Math.ceil(length * (1 - spread));
  return Array.from({ length: batchSize }, (_, row) =>
    row === 0 ? length : length - Math.round((row * (length - shortest)) / (batchSize - 1)),
  );
}

/** Tokens per sequence that a session must have room for. */
export const parityCapacity = ({ promptLength, steps }: ParityShape): number =>
  promptLength.length + steps + 1;
