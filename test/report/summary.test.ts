import { expect, test } from 'vitest';
import { summarise } from '../../src/report/summary.ts';
import { cellRates } from '../../src/stats/rates.ts';
import { ENGINES, makeInput } from './fixtures.ts';

const find = <T extends { cell: { engine: string; precision: string; batchSize: number } }>(
  rows: readonly T[],
  engine: string,
  precision = 'fp32',
  batchSize = 1,
): T =>
  rows.find(
    ({ cell }) => cell.engine === engine && cell.precision === precision && cell.batchSize === batchSize,
  )!;

test('the truth that the records were made from is found', () => {
  const report = summarise(makeInput());
  expect(report.rows).toHaveLength(4 * 2 * 2 * 2);
  expect(report.rows.every(({ status, measured }) => status === 'ok' && measured !== null)).toBe(true);
  const ort = report.averages.filter(({ engine }) => engine === 'onnxruntime');
  expect(ort).toHaveLength(4);
  for (const { phase, average, interval, cells, compared, parity } of ort) {
    expect(average).toBeCloseTo(phase === 'prefill' ? 2.2 : 1.9, 1);
    expect(interval![0]).toBeLessThan(average!);
    expect(interval![1]).toBeGreaterThan(average!);
    expect([cells, compared.length, parity]).toEqual([4, 4, 'match']);
  }
  expect(report.time).toEqual({ wallNs: 600e9, engineNs: 540e9, stages: [] });
});

test('every cell of the manifest has a row, whatever became of it', () => {
  const report = summarise(
    makeInput({
      fault: ({ engine, batchSize }) => {
        if (engine === 'pytorch-compile') return { status: 'unsupported', reason: 'no kernel' };
        if (engine === 'llamacpp' && batchSize === 4) return { status: 'oom', reason: 'needs 20 GiB' };
        if (engine === 'onnxruntime' && batchSize === 4) return { status: 'wrong-tokens' };
        return null;
      },
    }),
  );
  expect(report.rows).toHaveLength(32);
  expect(find(report.rows, 'pytorch-compile')).toMatchObject({
    status: 'unsupported',
    reason: 'no kernel',
    measured: null,
  });
  expect(find(report.rows, 'llamacpp', 'fp32', 4)).toMatchObject({
    status: 'oom',
    reason: 'needs 20 GiB',
    measured: null,
  });
  const invalid = find(report.rows, 'onnxruntime', 'fp32', 4);
  expect(invalid).toMatchObject({ status: 'invalid', measured: null });
  expect(invalid.reason).toBe('tokens returned: 1023 instead of 1024 (round 1)');
  // Its samples stay, so that samples.csv shows what went wrong.
  expect(invalid.samples).toHaveLength(6);
  expect(find(report.speedups, 'onnxruntime', 'fp32', 4)).toMatchObject({
    speedup: null,
    reason: `invalid: ${invalid.reason}`,
  });
  expect(
    find(
      report.averages.map((row) => ({ ...row, cell: { ...row, batchSize: 1 } })),
      'onnxruntime',
    ),
  ).toMatchObject({
    cells: 4,
    reasons: [`invalid: ${invalid.reason}`],
  });
});

test('a cell that was begun and not finished is neither charted nor divided', () => {
  const report = summarise(
    makeInput({
      interrupted: true,
      fault: ({ engine }) => (engine === 'llamacpp' ? { status: 'unfinished' } : null),
    }),
  );
  const row = find(report.rows, 'llamacpp');
  expect(row).toMatchObject({ status: 'interrupted', measured: null });
  expect(row.reason).toBe('the run was interrupted before this cell was finished');
  expect(find(report.speedups, 'llamacpp').speedup).toBeNull();
});

test('a mismatch is measured, and never has a speedup; nor has anything against it', () => {
  const wrong = (name: string) =>
    summarise(makeInput({ verdict: ({ engine }) => (engine === name ? 'mismatch' : 'match') }));
  const engineWrong = wrong('llamacpp');
  const row = find(engineWrong.rows, 'llamacpp');
  expect(row.status).toBe('mismatch');
  expect(row.measured).not.toBeNull();
  expect(row.reason).toMatch(/does not compute what the reference computes: normalised error/);
  expect(find(engineWrong.speedups, 'llamacpp')).toMatchObject({ speedup: null, parity: 'mismatch' });
  expect(find(engineWrong.speedups, 'onnxruntime')).toMatchObject({ parity: 'match', reason: null });

  const baselineWrong = wrong('pytorch-eager');
  for (const { speedup, reason } of baselineWrong.speedups) {
    expect(speedup).toBeNull();
    expect(reason).toMatch(/the baseline PyTorch eager (fp32|int4) is mismatch/);
  }
});

test('without the parity check everything is unchecked', () => {
  const report = summarise(makeInput({ parity: false }));
  expect(new Set(report.speedups.map(({ parity }) => parity))).toEqual(new Set(['unchecked']));
  expect(report.rows[0]!.parityReason).toBe('the run was made without the parity check');
});

test('a baseline with its own precision is compared with every precision, and with no cell twice', () => {
  const report = summarise(
    makeInput({
      baselines: [
        { engine: 'pytorch-eager', precision: null },
        { engine: 'pytorch-eager', precision: 'fp32' },
      ],
    }),
  );
  const crossed = report.averages.filter(
    ({ engine, precision, baseline }) =>
      engine === 'onnxruntime' && precision === 'int4' && baseline.precision === 'fp32',
  );
  expect(crossed.map(({ phase, cells }) => [phase, cells])).toEqual([
    ['prefill', 4],
    ['decode', 4],
  ]);
  // 2.2 times the speed at the same precision, and int4 is 2.5 times as fast.
  expect(crossed[0]!.average).toBeCloseTo(5.5, 1);
  expect(report.averages.every(({ cells }) => cells === 4)).toBe(true);
  const selves = report.speedups.filter(({ cell, baseline }) => cell.engine === baseline.engine);
  expect(
    selves.every(({ cell, baseline }) => cell.precision === 'int4' && baseline.precision === 'fp32'),
  ).toBe(true);
});

test('other prompts are other work', () => {
  const report = summarise(
    makeInput({
      edit: (record) =>
        record.kind === 'preparation' && record.cell.engine === 'llamacpp'
          ? { ...record, promptsSha256: 'other' }
          : record,
    }),
  );
  expect(find(report.speedups, 'llamacpp')).toMatchObject({
    speedup: null,
    reason: 'the baseline PyTorch eager fp32 was given other prompts',
  });
});

test('a baseline that the sweep lacks is a reason, not a crash', () => {
  const report = summarise(makeInput({ engines: ENGINES.filter(({ name }) => name !== 'pytorch-eager') }));
  expect(report.speedups.every(({ reason }) => /has no such cell in this sweep/.test(reason!))).toBe(true);
});

test('with fewer than six rounds there is no interval', () => {
  const report = summarise(makeInput({ rounds: 5 }));
  expect(report.speedups.every(({ speedup, interval }) => speedup !== null && interval === null)).toBe(true);
  expect(report.averages.every(({ interval }) => interval === null)).toBe(true);
  expect(report.rows.every(({ measured }) => measured!.intervals.decode === null)).toBe(true);
});

test('of two samples of one round the later counts, and both are kept', () => {
  const input = makeInput({ engines: ENGINES.slice(0, 2), rounds: 3 });
  const again = input.records.filter((record) => record.kind === 'sample' && record.round === 1);
  const slower = again.map((record) => {
    if (record.kind !== 'sample') return record;
    const runs = record.runs.map((run) => ({
      ...run,
      prefillNs: run.prefillNs * 10,
      wallNs: run.wallNs * 10,
    }));
    return { ...record, runs };
  });
  const report = summarise({ ...input, records: [...input.records, ...slower] });
  const row = report.rows[0]!;
  expect(row.samples.map(({ record, used }) => [record.round, used])).toEqual([
    [0, true],
    [1, false],
    [1, true],
    [2, true],
  ]);
  expect(row.measured!.rounds).toHaveLength(3);
  expect(row.measured!.rates).toEqual(cellRates(row.measured!.rounds.map(({ rates }) => rates)));
});

test('records of cells that the manifest does not know are named', () => {
  const input = makeInput();
  const manifest = { ...input.manifest, cells: input.manifest.cells.slice(1) };
  expect(summarise({ ...input, manifest }).warnings).toEqual([
    '1 cells have records but are not in the manifest, the first is llama-tiny/onnxruntime/fp32/cpu/b1/p64/g256',
  ]);
});

test('nothing at all is a report too', () => {
  const report = summarise({ ...makeInput(), records: [], interrupted: true });
  expect(report.rows.every(({ status }) => status === 'interrupted')).toBe(true);
  expect(report.averages.every(({ average }) => average === null)).toBe(true);
  expect(report.time).toBeNull();
});
