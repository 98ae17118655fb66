import { describe, expect, it } from 'vitest';
import { utilisation } from '../../src/report/charts/utilisation.ts';
import { summaryCsv } from '../../src/report/csv.ts';
import { headlineMarkdown } from '../../src/report/headline.ts';
import type { ReportInput } from '../../src/report/model.ts';
import { summarise } from '../../src/report/summary.ts';
import { phaseWork } from '../../src/stats/roofline.ts';
import { type FixtureOptions, makeInput } from './fixtures.ts';
import { SHAPE, STORAGE, withRoof } from './gathered.ts';

/** The fixture's run without noise under a roof. */
const input = (bytesPerSecond: number, operationsPerSecond: number, options: FixtureOptions = {}) =>
  withRoof(makeInput({ precisions: ['fp32'], noise: 0, ...options }), bytesPerSecond, operationsPerSecond);
const rowsOf = (given: ReportInput) => summarise(given).rows;

describe('MBU and MFU', () => {
  it('are what the medians and the roof make', () => {
    const [row] = rowsOf(input(1e12, 1e12));
    const work = { ...row!.cell, promptTokens: 64, shape: SHAPE, storage: STORAGE };
    const step = phaseWork('decode', work);
    const { rates, utilisations } = row!.measured!;
    expect(utilisations!.decode.mbu).toBeCloseTo((step.bytes * rates.generationTokensPerSecond) / 1e12, 9);
    const prefill = phaseWork('prefill', work);
    expect(utilisations!.prefill.mfu).toBeCloseTo(
      (prefill.operations * rates.promptTokensPerSecond) / 64 / 1e12,
      9,
    );
    const [header, first] = [...summaryCsv(summarise(input(1e12, 1e12)))].join('').split('\n');
    const at = header!.split(',').indexOf('generation_mbu');
    expect(Number(first!.split(',')[at])).toBeCloseTo(utilisations!.decode.mbu, 9);
  });

  it('are empty, and nothing else changes, in runs that recorded no roof', () => {
    const old = makeInput({ precisions: ['fp32'] });
    const report = summarise(old);
    expect(
      report.rows.every(({ status, measured }) => status === 'ok' && measured!.utilisations === null),
    ).toBe(true);
    expect(utilisation.figures(report)).toEqual([]);
  });

  it('are charted: arithmetic of prefill, memory traffic of decode, with the roof as a line', () => {
    const figures = utilisation.figures(summarise(input(1e12, 1e12)));
    expect(figures.map(({ stem }) => stem)).toEqual([
      'llama-tiny-fp32-cpu-prompt-mfu',
      'llama-tiny-fp32-cpu-generation-mbu',
    ]);
    const [bar] = figures[1]!.series[0]!.marks;
    if (bar?.kind !== 'bar') throw new Error('no bar');
    expect(bar.interval![0]).toBeLessThanOrEqual(bar.value);
    expect(bar.interval![1]).toBeGreaterThanOrEqual(bar.value);
    expect(bar.interval![1]).toBeLessThan(1.2 * bar.value);
    for (const { reference, notes } of figures) {
      expect(reference?.value).toBe(1);
      expect(notes.join(' ')).toMatch(/Roof: .*1,000/);
    }
  });
});

describe('what no machine with this roof can have done', () => {
  it('is invalid, uncharted, undivided, and says what to do', () => {
    // The roof lies where only the fastest engine is above it.
    const given = input(20e9, 1e13);
    const report = summarise(given);
    const beyond = report.rows.filter(({ flags }) => flags.some(({ name }) => name === 'implausible'));
    expect(beyond.length).toBeGreaterThan(0);
    expect(beyond.length).toBeLessThan(report.rows.length);
    for (const { status, reason, measured } of beyond) {
      expect(status).toBe('invalid');
      expect(reason).toMatch(/^implausible: a decode step reads at least .* times what was measured/);
      expect(measured).toBeNull();
    }
    for (const { speedup, cell } of report.speedups)
      if (beyond.some((row) => row.cell === cell)) expect(speedup).toBeNull();
    expect(headlineMarkdown(report)).toMatch(/\| implausible \| \d+ \|.*ortbench doctor --roofline/);
  });

  it('says the same where the run itself had found it', () => {
    const given = input(20e9, 1e13);
    const judged = rowsOf(given);
    const again = {
      ...given,
      records: given.records.map((record) => {
        if (record.kind !== 'outcome') return record;
        const row = judged.find(({ cell }) => JSON.stringify(cell) === JSON.stringify(record.cell))!;
        return { ...record, status: row.status, reason: row.reason };
      }),
    };
    expect(rowsOf(again)).toEqual(judged);
  });
});

describe('far below the fastest at the same work', () => {
  const below = (given: ReportInput) =>
    rowsOf(given).flatMap(({ cell, flags }) =>
      flags.flatMap(({ name, phase, detail }) =>
        name === 'below-peers' ? [{ engine: cell.engine, phase, detail }] : [],
      ),
    );
  const engines = (slowest: number) => [
    { name: 'onnxruntime', title: 'ONNX Runtime', speed: [2, 2] as const },
    { name: 'llamacpp', title: 'llama.cpp', speed: [2 * slowest, 2] as const },
  ];

  it('is flagged with what mends it, where the work takes the time', () => {
    const found = below(input(1e12, 170e9, { engines: engines(0.5), baselines: [] }));
    expect(found).toHaveLength(4);
    for (const { engine, phase, detail } of found) {
      expect([engine, phase]).toEqual(['llamacpp', 'prefill']);
      expect(detail).toMatch(/^0\.50 times the speed of ONNX Runtime.*setup llamacpp --native$/);
    }
  });

  it('is not what good libraries differ by, nor overhead', () => {
    expect(below(input(1e12, 170e9, { engines: engines(0.7), baselines: [] }))).toEqual([]);
    expect(below(input(1e12, 1e13, { engines: engines(0.5), baselines: [] }))).toEqual([]);
  });
});

it('tells what the harness and idle engines used', () => {
  const given = makeInput({
    precisions: ['fp32'],
    edit: (record) =>
      record.kind === 'sample'
        ? { ...record, harnessCores: 0.0004, idleCores: record.round === 1 ? 0.9 : 0, idleSession: 'm/other' }
        : record,
  });
  const report = summarise(given);
  expect(report.harness).toEqual({ typicalCores: 0.0004, highestCores: 0.0004 });
  expect(headlineMarkdown(report)).toContain('The harness used 0.04 % of a core while engines were timed');
  for (const { flags } of report.rows)
    expect(flags).toContainEqual({
      name: 'idle-load',
      phase: null,
      detail: 'up to 0.90 cores, most of it m/other',
    });
});
