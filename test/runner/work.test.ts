import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestTokens, makeWork } from '../../src/runner/work.ts';
import type { Cell } from '../../src/schema/cell.ts';

const cell: Cell = {
  engine: 'a',
  model: 'm',
  precision: 'fp32',
  device: 'cpu',
  batchSize: 3,
  promptLength: { length: 20, spread: 0 },
  generate: 8,
};
const shape = { vocabSize: 50, specialTokenIds: [0, 1, 49] };

describe('makeWork', () => {
  it('is the same for every engine and precision, and another for another shape or seed', () => {
    const work = makeWork(cell, 1, shape);
    expect(makeWork({ ...cell, engine: 'b', precision: 'int4' }, 1, shape)).toEqual(work);
    expect(makeWork({ ...cell, batchSize: 4 }, 1, shape).prompts[0]).not.toEqual(work.prompts[0]);
    expect(makeWork(cell, 2, shape).promptsSha256).not.toBe(work.promptsSha256);
  });

  it('draws real token ids only, in the lengths that the spread allows, and counts them', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 40 }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        (batchSize, length, spread) => {
          const work = makeWork({ ...cell, batchSize, promptLength: { length, spread } }, 7, shape);
          expect(work.prompts).toHaveLength(batchSize);
          expect(Math.max(...work.prompts.map((row) => row.length))).toBe(length);
          for (const row of work.prompts) {
            expect(row.length).toBeGreaterThanOrEqual(Math.ceil(length * (1 - spread)));
            for (const id of row) expect(id >= 2 && id <= 48).toBe(true);
          }
          expect(work.promptTokens).toBe(work.prompts.flat().length);
          expect(work.capacity).toBe(length + cell.generate);
        },
      ),
    );
  });
});

describe('digestTokens', () => {
  it('notices a moved row boundary and exchanged rows', () => {
    expect(digestTokens([[1, 2], [3]])).not.toBe(digestTokens([[1], [2, 3]]));
    expect(digestTokens([[1], [2]])).not.toBe(digestTokens([[2], [1]]));
  });
});
