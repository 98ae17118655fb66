import type { Cell } from '../schema/cell.ts';
import type { EngineChoice, Sweep } from '../schema/sweep.ts';

export interface ChosenCell {
  readonly cell: Cell;
  readonly choice: EngineChoice;
}

/** Sizes of the dimensions that a sweep multiplies. */
export function dimensions(sweep: Sweep) {
  return {
    models: sweep.models.length,
    engines: sweep.engines.length,
    precisions: sweep.precisions.length,
    batchSizes: sweep.batchSizes.length,
    promptLengths: sweep.promptLengths.length,
  };
}

export function countCells(sweep: Sweep): number {
  return Object.values(dimensions(sweep)).reduce((product, size) => product * size, 1);
}

/**
 * Every cell of the full matrix, before any rule, in the order in which they run: by model, then by work (batch size and
 * prompt length ascending), and inside the same work every precision and engine, so that what is compared is adjacent.
 */
export function* enumerateCells(sweep: Sweep, modelNames: readonly string[]): Generator<ChosenCell> {
  const batchSizes = [...sweep.batchSizes].sort((a, b) => a - b);
  const promptLengths = [...sweep.promptLengths].sort((a, b) => a.length - b.length || a.spread - b.spread);
  for (const model of modelNames)
    for (const batchSize of batchSizes)
      for (const promptLength of promptLengths)
        for (const precision of sweep.precisions)
          for (const choice of sweep.engines) {
            const { device, generate } = sweep;
            yield {
              choice,
              cell: { engine: choice.name, model, precision, device, batchSize, promptLength, generate },
            };
          }
}
