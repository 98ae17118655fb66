import { expect, test } from 'vitest';
import type { ClockReading } from '../../src/schema/record.ts';
import { throttling } from '../../src/stats/throttling.ts';

const NOTHING: ClockReading = {
  watchedNs: 1e9,
  cpuMHz: null,
  thermalThrottles: null,
  quotaThrottledNs: null,
  gpuMHz: null,
  gpuThrottleReasons: null,
};
const rounds = (...clocks: Partial<ClockReading>[]) =>
  clocks.map((clock, round) => ({ round, clock: { ...NOTHING, ...clock } }));

test('a steady clock, one that cannot be read, and records without any raise nothing', () => {
  expect(throttling(rounds({ cpuMHz: 3000 }, { cpuMHz: 3060 }, { cpuMHz: 2950 }))).toBeNull();
  expect(throttling(rounds({}, {}, {}))).toBeNull();
  expect(throttling([{ round: 0 }, { round: 1 }])).toBeNull();
  expect(throttling([])).toBeNull();
});

test.each<[string, Partial<ClockReading>[], string]>([
  [
    'a slower clock',
    [{ cpuMHz: 3000 }, { cpuMHz: 2100 }, { cpuMHz: 3000 }],
    'processor clock 2,100 MHz in round 1, usually 3,000',
  ],
  [
    'a quicker one',
    [{ cpuMHz: 3000 }, { cpuMHz: 3000 }, { cpuMHz: 3600 }],
    'processor clock 3,600 MHz in round 2, usually 3,000',
  ],
  ['heat', [{ thermalThrottles: 0 }, { thermalThrottles: 2 }], 'slowed for heat in round 1'],
  [
    'a quota',
    [{ quotaThrottledNs: 0 }, { quotaThrottledNs: 2e8 }],
    'held back by the CPU quota in round 1 (up to 20.0 % of its time)',
  ],
  [
    'a GPU clock',
    [{ gpuMHz: 1980 }, { gpuMHz: 1980 }, { gpuMHz: 1200 }],
    'GPU clock 1,200 MHz in round 2, usually 1,980',
  ],
  [
    'a changed reason',
    [{ gpuThrottleReasons: [] }, { gpuThrottleReasons: ['power cap'] }],
    'GPU held back (power cap) in round 1',
  ],
  [
    'lasting heat',
    [{ gpuThrottleReasons: ['hardware thermal slowdown'] }],
    'GPU held back (hardware thermal slowdown) in round 0',
  ],
])('%s is told', (_, clocks, words) => {
  expect(throttling(rounds(...clocks))).toBe(words);
});

test('a quota that hardly bit, and a power cap in every round, are how the machine runs', () => {
  expect(throttling(rounds({ quotaThrottledNs: 5e6 }, { quotaThrottledNs: 9e6 }))).toBeNull();
  expect(
    throttling(rounds({ gpuThrottleReasons: ['power cap'] }, { gpuThrottleReasons: ['power cap'] })),
  ).toBeNull();
});
