import { expect, test } from 'vitest';
import { decideCells, overallVerdict, screenCells } from '../../src/gate/judge.ts';
import type { GateRow } from '../../src/gate/model.ts';
import { pairCells } from '../../src/gate/pairs.ts';
import { type GateFixture, pairsOf, reportOf, SIDES } from './fixtures.ts';

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

test('a failed and an invalid cell are failures, and what neither side was to run is left out', () => {
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

const SHORT_OF: readonly [string, string][] = [
  ['memory', 'would need about 20 GiB of memory; only 1 GiB is free now'],
  ['disk', 'the fp32 files of m for New would need about 20 GiB of disk; 1 GiB is left for them'],
  ['time', 'batch 1, prompt 64 would take about 3 h; of the 1 h allowed, 10 min is left'],
];

test.each(SHORT_OF)('a cell that there was no %s for is a failure, on whichever side', (_what, reason) => {
  for (const sides of [['old'], ['new'], ['old', 'new']]) {
    const { cells, leftOut } = pairsOf({
      fault: ({ engine, batchSize }) =>
        batchSize === 1 && sides.includes(engine) ? { status: 'skipped', reason } : null,
    });
    expect(leftOut).toEqual([]);
    const { rows } = screenCells(cells);
    const failed = rows.filter(({ verdict }) => verdict === 'failed');
    expect(failed).toHaveLength(4);
    const side = sides.includes('new') ? 'candidate' : 'baseline';
    for (const row of failed) expect(row.reason).toBe(`${side} skipped: ${reason}`);
    expect(overallVerdict(rows)).toBe('failed');
  }
});

test.each(['old', 'new'])('a cell that only %s lacks or cannot run is a failure', (engine) => {
  const side = engine === 'old' ? 'baseline' : 'candidate';
  const whole = reportOf({});
  const without = { ...whole, rows: whole.rows.filter(({ cell }) => cell.engine !== engine) };
  const lacking = pairCells(
    { variant: SIDES.baseline, reports: [without] },
    { variant: SIDES.candidate, reports: [without] },
  );
  expect(lacking.leftOut).toEqual([]);
  expect(lacking.cells.map(({ failure }) => failure)).toEqual(
    new Array(4).fill(`the ${side} has no such cell`),
  );
  for (const fault of [
    { status: 'unsupported', reason: 'no kernel' },
    { status: 'skipped', reason: 'excluded by the rule at gate.yaml:9:5' },
  ] as const) {
    const { cells, leftOut } = pairsOf({ fault: (cell) => (cell.engine === engine ? fault : null) });
    expect(leftOut).toEqual([]);
    expect(cells.map(({ failure }) => failure)).toEqual(
      new Array(4).fill(`${side} ${fault.status}: ${fault.reason}`),
    );
  }
});

test('what a rule, --only or the length of the context leaves out on both sides is no failure', () => {
  const reasons = [
    'excluded by the rule at gate.yaml:9:5',
    'matches no include rule',
    'not selected by --only',
    "prompt 256 + generate 16 = 272 tokens, longer than the model's context of 128",
  ];
  for (const reason of reasons) {
    const { cells, leftOut } = pairsOf({
      fault: ({ promptLength: { length } }) => (length === 256 ? { status: 'skipped', reason } : null),
    });
    expect(leftOut.map((one) => one.reason)).toEqual([`skipped: ${reason}`, `skipped: ${reason}`]);
    expect(cells.map(({ failure }) => failure)).toEqual([null, null]);
  }
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
