import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeBlocks, roundOrder, type ScheduledCell } from '../../src/runner/schedule.ts';
import type { Baseline } from '../../src/schema/sweep.ts';

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
    const blocks = makeBlocks(cells, room(10_000), []);
    expect(blocks.map((block) => block.model)).toEqual(['m', 'n']);
    for (const block of blocks) {
      expect(block.comparisons.map((comparison) => comparison.cells.length)).toEqual([3, 3]);
      expect([...block.sessions.values()].map((members) => members.length)).toEqual([2, 2, 2]);
    }
    expect(blocks.flatMap((block) => block.comparisons.flatMap((c) => c.cells))).toEqual(cells);
  });

  it('keeps sessions loaded together only where they fit', () => {
    expect(makeBlocks(cells, room(400), [])[0]?.residency).toBe('together');
    expect(makeBlocks(cells, room(300), [])[0]?.residency).toBe('one-by-one');
  });

  describe('of a model whose precisions do not fit together', () => {
    const both = cells
      .filter(({ cell }) => cell.model === 'm')
      .flatMap((entry) =>
        (['fp32', 'int4'] as const).map((precision) => ({
          ...entry,
          cell: { ...entry.cell, precision },
          hostMiB: precision === 'fp32' ? 100 : 20,
        })),
      );
    const blocks = (hostMiB: number, baselines: Baseline[]) =>
      makeBlocks(both, room(hostMiB), baselines).map(({ precisions, residency, sessions }) => ({
        precisions,
        residency,
        sessions: sessions.size,
      }));

    it('cuts it by precision where none is divided by another', () => {
      const cut = [
        { precisions: ['fp32'], residency: 'one-by-one', sessions: 3 },
        { precisions: ['int4'], residency: 'together', sessions: 3 },
      ];
      expect(blocks(300, [])).toEqual(cut);
      expect(blocks(300, [{ engine: 'a' }])).toEqual(cut);
      // No cell has it.
      expect(blocks(300, [{ engine: 'a', precision: 'fp16' }])).toEqual(cut);
    });

    it('leaves it whole where all fit, or one is divided by another', () => {
      expect(blocks(500, [])).toEqual([{ precisions: ['fp32', 'int4'], residency: 'together', sessions: 6 }]);
      expect(blocks(300, [{ engine: 'a' }, { engine: 'b', precision: 'fp32' }])).toEqual([
        { precisions: ['fp32', 'int4'], residency: 'one-by-one', sessions: 6 },
      ]);
    });
  });

  it("counts the memory of a device apart, and with the host's where nobody knows it", () => {
    const onDevice = ['a', 'b'].map((engine) => scheduled('m', engine, 1, 1000));
    const residency = (hostMiB: number, deviceMiB: number | null) =>
      makeBlocks(onDevice, room(hostMiB, deviceMiB), [])[0]?.residency;
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
