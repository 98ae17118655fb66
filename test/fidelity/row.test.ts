import { describe, expect, it } from 'vitest';
import { judge } from '../../src/fidelity/row.ts';

const speedup = (ratio: number, interval: [number, number] | null) => ({
  ratio,
  interval,
  logRatios: new Map(),
});

describe('judge', () => {
  it.each([
    ['met', 0.97, [0.9, 1.05]],
    ['undecided', 0.95, [0.9, 0.97]],
    ['undecided', 0.5, null],
    ['missed', 0.95, [0.9, 0.969]],
  ] as const)('%s at %d %j', (verdict, ratio, interval) => {
    const given = interval === null ? null : ([...interval] as [number, number]);
    expect(judge({ bar: 0.97, recompiles: 0, speedup: speedup(ratio, given) })).toBe(verdict);
  });

  it('has no verdict without a bar, and accepts nothing that was compiled while timing', () => {
    expect(judge({ bar: null, recompiles: 0, speedup: speedup(0.1, null) })).toBeNull();
    expect(judge({ bar: 0.97, recompiles: 1, speedup: speedup(2, [1.9, 2.1]) })).toBe('invalid');
  });
});
