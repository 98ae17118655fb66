import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeBlocks, roundOrder, type ScheduledCell } from '../../src/runner/schedule.ts';

const scheduled = (
  model: string,
  engine: string,
  batchSize: number,
  deviceMiB: number | null = null,
): ScheduledCell => ({
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
  hostMiB: 100,
  deviceMiB,
});
const cells = ['m', 'n'].flatMap((model) =>
  [1, 4].flatMap((batch) => ['a', 'b', 'c'].map((engine) => scheduled(model, engine, batch))),
);

const room = (hostMiB: number, deviceMiB: number | null = null) => ({ hostMiB, deviceMiB });

describe('makeBlocks', () => {
  it('makes one block a model, one comparison a shape, one session an engine', () => {
    const blocks = makeBlocks(cells, room(10_000));
    expect(blocks.map((block) => block.model)).toEqual(['m', 'n']);
    for (const block of blocks) {
      expect(block.comparisons.map((comparison) => comparison.cells.length)).toEqual([3, 3]);
      expect([...block.sessions.values()].map((members) => members.length)).toEqual([2, 2, 2]);
    }
    expect(blocks.flatMap((block) => block.comparisons.flatMap((c) => c.cells))).toEqual(cells);
  });

  it('keeps sessions loaded together only where they fit', () => {
    expect(makeBlocks(cells, room(400))[0]?.residency).toBe('together');
    expect(makeBlocks(cells, room(300))[0]?.residency).toBe('one-by-one');
  });

  it("counts the memory of a device apart, and with the host's where nobody knows it", () => {
    const onDevice = ['a', 'b'].map((engine) => scheduled('m', engine, 1, 1000));
    const residency = (hostMiB: number, deviceMiB: number | null) =>
      makeBlocks(onDevice, room(hostMiB, deviceMiB))[0]?.residency;
    expect(residency(300, 2600)).toBe('together');
    expect(residency(300, 2400)).toBe('one-by-one');
    expect(residency(200, 2600)).toBe('one-by-one');
    expect(residency(2800, null)).toBe('together');
    expect(residency(2600, null)).toBe('one-by-one');
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
