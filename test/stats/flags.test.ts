import { expect, test } from 'vitest';
import { FLAGS, flagsOf, type Round } from '../../src/stats/flags.ts';

/** Decode rates by round; the prompt rate is steady. */
const rounds = (decode: readonly number[], otherLoadCores: number | null = 0): Round[] =>
  decode.map((generationTokensPerSecond, round) => ({
    round,
    startedNs: round * 1e9,
    otherLoadCores,
    rates: {
      promptTokensPerSecond: 1000,
      generationTokensPerSecond,
      endToEndTokensPerSecond: 1,
      timeToFirstTokenNs: 1,
      interTokenP50Ns: 1,
      interTokenP90Ns: 1,
      interTokenP99Ns: 1,
    },
  }));
const names = (decode: readonly number[]) => flagsOf(rounds(decode), {}).map(({ name }) => name);

test('steady rounds raise nothing, and no variance is no error', () => {
  expect(names([100, 101, 99, 100.5, 99.5, 100.2])).toEqual([]);
  expect(names([100, 100, 100, 100, 100, 100])).toEqual([]);
  expect(names([100])).toEqual([]);
});

test('each flag, and none beside it', () => {
  expect(names([100, 130, 80, 110, 90])).toEqual(['noisy']);
  expect(names([100, 101, 99, 100.5, 84, 99.5])).toEqual(['outlier', 'imprecise']);
  expect(names([90, 100, 101, 99.5, 100.5])).toEqual(['outlier', 'warmup-insufficient']);
  expect(names([100, 99, 98, 97, 96, 95, 94])).toEqual(['drift']);
  expect(names([100, 93, 106, 95, 107, 100])).toEqual(['imprecise']);
});

test('a first round within the usual spread is no sign of too little warm-up', () => {
  expect(names([96, 100, 101, 99.5, 100.5])).not.toContain('warmup-insufficient');
  expect(names([110, 100, 101, 99.5, 100.5])).not.toContain('warmup-insufficient');
});

test('flags of a phase name it; flags of the cell do not', () => {
  const [flag] = flagsOf(rounds([100, 130, 80, 110, 90]), {});
  expect(flag).toMatchObject({ name: 'noisy', phase: 'decode' });
  expect(flag!.detail).toMatch(/%/);
  const [busy] = flagsOf(rounds([100, 100, 100], 0.8), {});
  expect(busy).toMatchObject({ name: 'busy-machine', phase: null, detail: 'up to 0.80 cores of other load' });
  expect(flagsOf(rounds([100, 100, 100], 0.1), {})).toEqual([]);
  expect(flagsOf(rounds([100, 100, 100], null), {})).toEqual([]);
});

test('a clock that changed between rounds is a flag of the cell', () => {
  const steady = rounds([100, 100, 100]);
  const clock = {
    watchedNs: 1e9,
    thermalThrottles: null,
    quotaThrottledNs: null,
    gpuMHz: null,
    gpuThrottleReasons: null,
  };
  const clocked = steady.map((round, i) => ({
    ...round,
    clock: { ...clock, cpuMHz: i === 2 ? 1500 : 3000 },
  }));
  expect(flagsOf(clocked, {})).toEqual([
    { name: 'throttled', phase: null, detail: 'processor clock 1,500 MHz in round 2, usually 3,000' },
  ]);
});

test('an engine can say that its build is slow', () => {
  expect(flagsOf(rounds([1]), { slowBuild: 'float prompts at half speed' })).toEqual([
    { name: 'slow-build', phase: null, detail: 'float prompts at half speed' },
  ]);
});

test('what was computed in fp32 is said of the whole cell, with what was seen', () => {
  const upcast = 'fp16 weights multiplied in float32 (11 of the products), with 14 casts to and fro';
  expect(flagsOf(rounds([1]), { upcast })).toEqual([
    { name: 'computed-in-fp32', phase: null, detail: upcast },
  ]);
});

test('every flag has advice', () => {
  for (const [name, advice] of Object.entries(FLAGS)) {
    expect(advice.length, name).toBeGreaterThan(40);
    // What is the matter, and then what to do about it.
    expect(advice, name).toMatch(/^[A-Z][^:]+: .*\b(close|cool|fix|let|lift|look|raise|run|stop|use)\b.*\.$/);
  }
});
