import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pairedSpeedup } from '../../src/stats/speedup.ts';

const series = (values: readonly number[]) => new Map(values.map((value, round) => [round, value]));

test('pairs of the same round: what slows both cancels', () => {
  const drift = [1, 0.9, 0.8, 0.7, 0.6, 0.5];
  const result = pairedSpeedup(series(drift.map((d) => 300 * d)), series(drift.map((d) => 100 * d)))!;
  expect(result.ratio).toBeCloseTo(3, 12);
  expect(result.interval![0]).toBeCloseTo(3, 12);
  expect(result.interval![1]).toBeCloseTo(3, 12);
});

test('fewer than six pairs: the ratio of medians, no interval', () => {
  const result = pairedSpeedup(series([10, 20, 90]), series([10, 10, 10]))!;
  expect(result).toMatchObject({ ratio: 2, interval: null });
});

test('rounds that only one side has are no pairs', () => {
  const x = new Map([
    [0, 10],
    [2, 20],
  ]);
  const baseline = new Map([
    [1, 10],
    [2, 10],
  ]);
  const result = pairedSpeedup(x, baseline)!;
  expect([...result.logRatios.keys()]).toEqual([2]);
  expect(result.ratio).toBe(2);
  expect(pairedSpeedup(new Map([[0, 1]]), new Map([[1, 1]]))).toBeNull();
});

test('exchanging the sides inverts ratio and interval', () => {
  const rates = fc.array(fc.tuple(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 1e6 })), {
    minLength: 6,
    maxLength: 20,
  });
  fc.assert(
    fc.property(rates, (pairs) => {
      const x = series(pairs.map(([value]) => value));
      const y = series(pairs.map(([, value]) => value));
      const there = pairedSpeedup(x, y)!;
      const back = pairedSpeedup(y, x)!;
      expect(there.ratio * back.ratio).toBeCloseTo(1, 9);
      expect(there.interval![0] * back.interval![1]).toBeCloseTo(1, 9);
      expect(there.interval![0]).toBeLessThanOrEqual(there.ratio * (1 + 1e-12));
    }),
  );
});
