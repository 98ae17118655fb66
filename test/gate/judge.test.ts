import { expect, test } from 'vitest';
import { decideCells, overallVerdict, screenCells } from '../../src/gate/judge.ts';
import type { GateRow } from '../../src/gate/model.ts';
import { type GateFixture, pairsOf } from './fixtures.ts';

/** Both stages on records with known speeds. */
function gate(fixture: GateFixture): GateRow[] {
  const { cells } = pairsOf(fixture);
  const screened = screenCells(cells);
  const fresh = pairsOf({ ...fixture, rounds: 30, seed: 1000 + (fixture.seed ?? 1) }).cells;
  return [...screened.rows, ...decideCells(screened, fresh, 15)];
}

test.each([5, 7, 10])(
  'a candidate that takes %i percent longer is found in every cell, in its phase',
  (percent) => {
    const rows = gate({ speed: [1, 1 / (1 + percent / 100)] });
    const decode = rows.filter(({ phase }) => phase === 'decode');
    expect(decode).toHaveLength(4);
    for (const row of decode) {
      expect(row).toMatchObject({ verdict: 'regression', stage: 2, pairs: 30 });
      expect(Math.abs(row.slowdown!.estimate - 1 - percent / 100)).toBeLessThan(0.015);
      expect(row.adjustedP).toBeLessThanOrEqual(0.005);
      expect(row.reason).toMatch(/% slower \(95 % interval/);
    }
    expect(rows.filter(({ phase }) => phase === 'prefill').map(({ verdict }) => verdict)).toEqual(
      new Array(4).fill('ok'),
    );
    expect(overallVerdict(rows)).toBe('regression');
  },
);

test('no change and a faster candidate are ok, with what could have been found', () => {
  for (const speed of [1, 1.2]) {
    const rows = gate({ speed: [speed, speed], seed: 5 });
    expect(rows).toHaveLength(8);
    expect(overallVerdict(rows)).toBe('ok');
    for (const { smallestFindable } of rows) {
      expect(smallestFindable).toBeGreaterThan(1.02);
      expect(smallestFindable).toBeLessThan(1.06);
    }
  }
});

test('a noisy machine is inconclusive, never ok', () => {
  const rows = gate({ speed: [1 / 1.04, 1 / 1.04], noise: 0.3 });
  expect(overallVerdict(rows)).toBe('inconclusive');
  expect(rows.find(({ verdict }) => verdict === 'inconclusive')!.reason).toContain('it may be up to');
});

test('a failed, an invalid and a missing cell are failures, and what neither side was to run is left out', () => {
  const { cells, leftOut } = pairsOf({
    fault: ({ engine, batchSize, promptLength: { length } }) => {
      if (batchSize === 1 && length === 64) return { status: 'unsupported', reason: 'no kernel' };
      if (engine === 'old') return null;
      if (batchSize === 1) return { status: 'skipped', reason: 'only 1 GiB is free now' };
      return length === 64 ? { status: 'oom', reason: 'needs 20 GiB' } : { status: 'wrong-tokens' };
    },
  });
  expect(leftOut).toHaveLength(1);
  expect(leftOut[0]!.reason).toBe('unsupported: no kernel');
  const { rows } = screenCells(cells);
  const reasons = [...new Set(rows.map(({ reason }) => reason))];
  expect(reasons[0]).toContain('candidate skipped: only 1 GiB');
  expect(reasons[1]).toContain('candidate oom: needs 20 GiB');
  expect(reasons[2]).toContain('candidate invalid');
  expect(overallVerdict(rows)).toBe('failed');
});

test('a regression that was found stands beside a failure; nothing compared is a failure', () => {
  const failed = screenCells(pairsOf({ fault: () => ({ status: 'failed', reason: 'x' }) }).cells).rows;
  const found = gate({ speed: [0.8, 0.8] });
  expect(overallVerdict([...failed, ...found])).toBe('regression');
  expect(overallVerdict([])).toBe('failed');
});

test('a cell that the baseline fails is a failure too', () => {
  const { cells } = pairsOf({
    fault: ({ engine }) => (engine === 'old' ? { status: 'crashed', reason: 'segmentation fault' } : null),
  });
  expect(cells.map(({ failure }) => failure)).toEqual(
    new Array(4).fill('baseline crashed: segmentation fault'),
  );
});
