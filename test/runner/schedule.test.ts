import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeBlocks, roundOrder, type ScheduledCell } from '../../src/runner/schedule.ts';

const scheduled = (model: string, engine: string, batchSize: number, memoryMiB = 100): ScheduledCell => ({
  cell: {
    engine,
    model,
    precision: 'fp32',
    device: 'cpu',
    batchSize,
    promptLength: { length: 8, spread: 0 },
    generate: 4,
  },
  choice: { engine, name: engine, options: {} },
  memoryMiB,
});
const cells = ['m', 'n'].flatMap((model) =>
  [1, 4].flatMap((batch) => ['a', 'b', 'c'].map((engine) => scheduled(model, engine, batch))),
);

describe('makeBlocks', () => {
  it('makes one block a model, one comparison a shape, one session an engine', () => {
    const blocks = makeBlocks(cells, 10_000);
    expect(blocks.map((block) => block.model)).toEqual(['m', 'n']);
    for (const block of blocks) {
      expect(block.comparisons.map((comparison) => comparison.cells.length)).toEqual([3, 3]);
      expect([...block.sessions.values()].map((members) => members.length)).toEqual([2, 2, 2]);
    }
    expect(blocks.flatMap((block) => block.comparisons.flatMap((c) => c.cells))).toEqual(cells);
  });

  it('keeps sessions loaded together only where they fit', () => {
    expect(makeBlocks(cells, 400)[0]?.residency).toBe('together');
    expect(makeBlocks(cells, 300)[0]?.residency).toBe('one-by-one');
  });
});

describe('roundOrder', () => {
  it('is a permutation that seed and round alone decide', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer()), fc.integer(), fc.nat(100), (items, seed, round) => {
        const order = roundOrder(items, seed, 'x', round);
        expect([...order].sort()).toEqual([...items].sort());
        expect(roundOrder(items, seed, 'x', round)).toEqual(order);
      }),
    );
  });

  it('puts every engine first about as often', () => {
    const first = { a: 0, b: 0, c: 0 };
    for (let round = 0; round < 3000; round++)
      first[roundOrder(['a', 'b', 'c'] as const, 1, 'x', round)[0]!]++;
    for (const count of Object.values(first)) expect(count).toBeGreaterThan(850);
  });
});
