import { expect, test } from 'vitest';
import { choosePairs, detectable, MOST_PAIRS, smallestFindable } from '../../src/gate/power.ts';

/** n values whose spread is about σ. */
const noise = (sigma: number, n: number): number[] =>
  Array.from({ length: n }, (_, i) => sigma * 1.41 * Math.sin(i * 2.399963 + i * i * 0.7));

test('more pairs find less, more comparisons find only more', () => {
  expect(detectable(30, 10).fromLimit).toBeLessThan(detectable(15, 10).fromLimit);
  expect(detectable(15, 100).fromLimit).toBeGreaterThan(detectable(15, 1).fromLimit);
  const { anywhere, fromLimit } = detectable(15, 10);
  expect(anywhere).toBeGreaterThanOrEqual(fromLimit);
});

test('too few pairs for any answer find nothing', () => {
  // 2⁻¹² is above .005 / 1000.
  expect(detectable(6, 1000).fromLimit).toBe(Number.POSITIVE_INFINITY);
  expect(smallestFindable(0.01, 6, 1000)).toBe(Number.POSITIVE_INFINITY);
});

test('the smallest findable slowdown starts at the margin and grows with the noise', () => {
  expect(smallestFindable(0, 15, 8)).toBeCloseTo(1.02, 12);
  const sizes = [0.005, 0.01, 0.02, 0.04, 0.08].map((spread) => smallestFindable(spread, 15, 8));
  expect([...sizes].sort((a, b) => a - b)).toEqual(sizes);
  expect(sizes.at(-1)).toBeGreaterThan(1.08);
});

test('pairs are chosen by the noise, within what is allowed', () => {
  const few = choosePairs([noise(0.014, 15)], MOST_PAIRS);
  const many = choosePairs([noise(0.042, 15)], MOST_PAIRS);
  expect(few.enough && many.enough).toBe(true);
  expect(few.pairs).toBeGreaterThanOrEqual(10);
  expect(many.pairs).toBeGreaterThan(2 * few.pairs);
  const capped = choosePairs([noise(0.2, 15)], 40);
  expect(capped).toMatchObject({ pairs: 40, enough: false });
  // A long pilot need not make up for its own brevity.
  expect(choosePairs([noise(0.042, 200)], MOST_PAIRS).pairs).toBeLessThan(many.pairs);
});

test('the same noise gets the same answer', () => {
  expect(choosePairs([noise(0.03, 15)], 200)).toEqual(choosePairs([noise(0.03, 15)], 200));
});
