import { expect, test } from 'vitest';
import { holmAdjusted } from '../../src/stats/holm.ts';

test('adjusted values by hand, in the order given', () => {
  // Sorted: 4·0.01, 3·0.02, max(0.06, 2·0.03), max(0.06, 0.04).
  const adjusted = holmAdjusted([0.03, 0.01, 0.04, 0.02]);
  for (const [i, expected] of [0.06, 0.04, 0.06, 0.06].entries())
    expect(adjusted[i]).toBeCloseTo(expected, 12);
});

test('no more than 1, and none for none', () => {
  expect(holmAdjusted([0.6, 0.9])).toEqual([1, 1]);
  expect(holmAdjusted([])).toEqual([]);
  expect(holmAdjusted([0.02])).toEqual([0.02]);
});
