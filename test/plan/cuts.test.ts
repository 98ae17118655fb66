import { describe, expect, it } from 'vitest';
import { artefactKey } from '../../src/plan/cuts.ts';
import { planSweep } from '../../src/plan/plan.ts';
import { facts, loaded, meta, metas } from './fixtures.ts';

const ab = metas(meta('a'), meta('b', { artefact: 'gguf' }));
const statuses = (cells: ReturnType<typeof planSweep>['cells']) =>
  cells.map(({ cell, status }) => `${cell.engine} ${cell.precision} b${cell.batchSize} ${status}`);

describe('room on the disk', () => {
  const sweep = loaded({ engines: ['a', 'b'], precisions: ['fp32', 'int4'], batchSizes: [1, 2] });
  const missing = new Map([
    [artefactKey('m', 'checkpoint', 'fp32'), 1000],
    [artefactKey('m', 'onnx', 'fp32'), 1000],
    [artefactKey('m', 'gguf', 'fp32'), 1000],
    [artefactKey('m', 'onnx', 'int4'), 200],
  ]);
  const plan = (freeMiB: number) => planSweep(sweep, ab, { ...facts, disk: { freeMiB, missing } }).cells;

  it('is counted once for a file, however many cells load it', () => {
    expect(plan(3200).every(({ status }) => status === 'planned')).toBe(true);
  });

  it('cuts what does not fit, says how much is lacking, and goes on with what is smaller or there', () => {
    const cells = plan(2300);
    expect(statuses(cells).slice(0, 4)).toEqual([
      'a fp32 b1 planned',
      'b fp32 b1 skipped',
      'a int4 b1 planned',
      'b int4 b1 planned',
    ]);
    expect(cells[1]!.reason).toBe(
      'the fp32 files of m for Engine b would need about 1,000 MiB of disk; 300 MiB is left for them',
    );
  });

  it('is no matter where the system cannot tell', () => {
    expect(
      planSweep(sweep, ab, { ...facts, disk: null }).cells.every(({ status }) => status === 'planned'),
    ).toBe(true);
  });
});

describe('maxHours', () => {
  const input = { engines: ['a', 'b'], batchSizes: [1, 64], promptLengths: [32, 512] };
  const all = planSweep(loaded(input), ab, facts).cells;
  const hours = (count: number) => all.slice(0, count).reduce((sum, { seconds }) => sum + seconds, 0) / 3600;

  it('changes nothing while all fits', () => {
    const cells = planSweep(loaded({ ...input, maxHours: hours(8) * 1.0001 }), ab, facts).cells;
    expect(cells).toEqual(all);
  });

  it('cuts whole comparisons in plan order, with the time each would take and what is left', () => {
    const cells = planSweep(loaded({ ...input, maxHours: hours(4) * 1.0001 }), ab, facts).cells;
    expect(cells.map(({ status }) => status)).toEqual([
      ...Array(4).fill('planned'),
      ...Array(4).fill('skipped'),
    ]);
    expect(cells[4]!.reason).toMatch(
      /^batch 64, prompt 32 would take about .*; of the [\d.]+ h allowed, .* is left$/,
    );
    expect(cells.reduce((sum, { seconds }) => sum + seconds, 0) / 3600).toBeLessThanOrEqual(
      hours(4) * 1.0001,
    );
  });

  it('charges the loading of a session to the first comparison that runs', () => {
    const only = { batchSize: [1], promptLength: [512] };
    const later = planSweep(loaded(input), ab, { ...facts, only: only }).cells.filter(
      ({ status }) => status === 'planned',
    );
    const same = all.filter(({ cell }) => cell.batchSize === 1 && cell.promptLength.length === 512);
    expect(later[0]!.seconds).toBeGreaterThan(same[0]!.seconds);
  });
});
