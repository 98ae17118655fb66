import { expect, test } from 'vitest';
import { decide, screen, slowdownOf, staysBelowLimit } from '../../src/gate/rule.ts';

const around = (percent: number, n: number, spread = 0.01): number[] =>
  Array.from({ length: n }, (_, i) => Math.log1p(percent / 100) + spread * Math.sin(1 + i * 2.4));

test('the screening flags what is slower than the margin, and clears what is surely below the limit', () => {
  expect(screen(around(6, 15))).toBe('flagged');
  expect(screen(around(0, 15))).toBe('clear');
  expect(screen(around(2, 15))).toBe('clear');
  expect(screen(around(0, 15, 0.4))).toBe('unclear');
  // Four pairs can show nothing.
  expect(screen(around(-50, 4))).toBe('unclear');
});

test('the bound that is printed agrees with the verdict', () => {
  for (const percent of [0, 3, 4, 4.5, 5, 6]) {
    const logs = around(percent, 15);
    expect(slowdownOf(logs).upperBound < 1.05).toBe(staysBelowLimit(logs));
  }
});

test('the second stage shares its level out among its cells', () => {
  // Nine of ten above the margin: p ≈ .002, enough alone and not among ten.
  const doubtful = around(6, 10).map((log, i) => (i === 0 ? 0.018 : log));
  const [alone] = decide([doubtful]);
  expect(alone).toMatchObject({ verdict: 'regression' });
  const among = decide([doubtful, ...Array.from({ length: 9 }, () => around(0, 10))]);
  expect(among[0]!.adjustedP).toBeCloseTo(10 * alone!.adjustedP, 12);
  expect(among[0]!.verdict).not.toBe('regression');
  expect(among[1]!.verdict).toBe('ok');
});

test('no variance is no error', () => {
  expect(decide([new Array(30).fill(Math.log(1.08))])[0]).toMatchObject({ verdict: 'regression' });
  expect(decide([new Array(30).fill(0)])[0]).toMatchObject({ verdict: 'ok', adjustedP: 1 });
  expect(decide([])).toEqual([]);
});
