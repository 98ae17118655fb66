import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { averagesCsv, samplesCsv, speedupsCsv, summaryCsv } from '../../src/report/csv.ts';
import { summarise } from '../../src/report/summary.ts';
import { outcomesOf, variant, Workplace } from '../fixtures/workplace.ts';
import { makeInput } from '../report/fixtures.ts';

const ARGS = ['sweep', 'run.yaml', '--out', 'out', '--no-parity'];
const rowsOf = (csv: string) => parse(csv, { columns: true }) as Record<string, string>[];
const clock = fileURLToPath(new URL('../fixtures/faults/clock.mjs', import.meta.url));

it('17, 19: a changed answer, a recompilation and a silent fall-back are invalid, and in no chart', async () => {
  const place = new Workplace();
  place.config('run.yaml', {
    engines: [
      variant('sound'),
      variant('fickle', { fault: 'changes-answer' }),
      variant('elsewhere', { fault: 'falls-back' }),
      variant('compiling', { fault: 'recompiles' }),
    ],
    batchSizes: [1],
    baselines: [{ engine: 'fickle' }, { engine: 'sound' }],
  });
  const { code } = await place.run(ARGS);
  expect(code).toBe(4);
  expect(await place.statuses()).toEqual({
    'sound/b1': 'ok',
    'fickle/b1': 'invalid',
    'elsewhere/b1': 'invalid',
    'compiling/b1': 'invalid',
  });
  const summary = readFileSync(join(place.dir, 'out/report/summary.csv'), 'utf8');
  expect(summary).toContain('different answers to the same prompts');
  expect(summary).toContain('it fell back: scripted: 3 nodes ran on another provider');
  expect(summary).toMatch(/recompilations while timing: 1 instead of 0/);
  // What is charted has rates.
  for (const { engine, generation_tokens_per_second: rate } of rowsOf(summary))
    expect(rate !== '', engine).toBe(engine === 'sound');
  const speedups = rowsOf(readFileSync(join(place.dir, 'out/report/speedups.csv'), 'utf8'));
  for (const row of speedups) expect(row.speedup, JSON.stringify(row)).toBe('');
  await place.expectNothingLeft();
});

it('18: a device that is not waited for is implausible', async () => {
  const place = new Workplace();
  const options = { devices: ['cuda'], stepMs: 4, prefillMsPerToken: 1 };
  place.config('run.yaml', {
    device: 'cuda',
    isolation: 'process',
    batchSizes: [1],
    generate: 48,
    repetitions: 3,
    engines: [variant('hasty', { ...options, fault: 'not-synchronised' }), variant('sound', options)],
  });
  const { code, stderr } = await place.run(ARGS);
  expect(code, stderr).toBe(4);
  const { records } = await place.results();
  const outcomes = outcomesOf(records).map(({ cell, status, reason }) => [cell.engine, status, reason]);
  expect(outcomes).toContainEqual(['sound', 'ok', null]);
  expect(outcomes).toContainEqual([
    'hasty',
    'invalid',
    expect.stringMatching(/by the harness's clock|was not waited for/),
  ]);
  await place.expectNothingLeft();
});

it('20: a wall clock that jumps changes nothing', async () => {
  const place = new Workplace();
  place.config('run.yaml', {
    engines: [variant('a', { stepMs: 2 }), variant('b', { stepMs: 2 })],
    isolation: 'process',
    batchSizes: [1],
  });
  const { code, stderr } = await place.run(ARGS, { node: ['--import', clock] });
  expect(code, stderr).toBe(0);
  const { records } = await place.results();
  for (const record of records) {
    if (record.kind === 'end') expect(record.wallNs / 1e9).toBeLessThan(60);
    if (record.kind !== 'sample') continue;
    expect(record.startedNs / 1e9).toBeLessThan(60);
    for (const { decodeNs, steps } of record.runs) expect(decodeNs / steps / 1e6).toBeLessThan(1000);
  }
  await place.expectNothingLeft();
});

it.skipIf(process.platform !== 'linux')('21: a busy neighbour is flagged, and its rows stay', async () => {
  const place = new Workplace();
  // Samples long enough for the kernel's clock ticks to tell who worked.
  const slow = {
    engines: [variant('a', { stepMs: 5 })],
    minTimedSeconds: 0.4,
    batchSizes: [1],
    repetitions: 3,
  };
  place.config('run.yaml', slow);
  const neighbours = availableParallelism();
  const busy = Array.from({ length: neighbours }, () => spawn(process.execPath, ['-e', 'for (;;);']));
  try {
    const { code, stderr } = await place.run(ARGS);
    expect(code, stderr).toBe(0);
  } finally {
    for (const neighbour of busy) neighbour.kill('SIGKILL');
  }
  const summary = readFileSync(join(place.dir, 'out/report/summary.csv'), 'utf8');
  expect(summary).toContain('busy-machine');
  expect(await place.statuses()).toEqual({ 'a/b1': 'ok' });
  await place.expectNothingLeft();
});

it('22: a candidate without the cell is exit 4, and no verdict on it', { timeout: 180_000 }, async () => {
  const place = new Workplace();
  place.config('run.yaml', {
    batchSizes: [1],
    engines: [variant('sound'), variant('broken', { fault: 'generate-fails' })],
  });
  const sides = ['--baseline', 'sound', '--candidate', 'broken', '--pairs', '6', '--out', 'pairs'];
  const { code, stdout, stderr } = await place.run(['compare', 'run.yaml', '--no-parity', ...sides]);
  expect(code, stderr).toBe(4);
  expect(stdout).toContain('candidate failed: scripted: the generation fails');
  expect(stdout).toContain('cells failed or are missing');
  await place.expectNothingLeft();
});

describe('23', () => {
  it('where all cells fail there is no empty chart, and exit 4', async () => {
    const place = new Workplace();
    place.config('run.yaml', {
      engines: [variant('a', { fault: 'generate-fails' }), variant('b', { fault: 'load-fails' })],
      baselines: [{ engine: 'a' }],
    });
    const { code, stdout } = await place.run(ARGS);
    expect(code).toBe(4);
    expect(stdout).toContain('4 of 4 cells have no result');
    expect(existsSync(join(place.dir, 'out/report/charts'))).toBe(false);
    const rows = readFileSync(join(place.dir, 'out/report/summary.csv'), 'utf8').trim().split('\n');
    expect(rows).toHaveLength(5);
    await place.expectNothingLeft();
  });

  it('zero variance divides nothing by zero', () => {
    const input = makeInput();
    const times = new Map<string, unknown>();
    // Every round of a cell takes what its first took, to the nanosecond.
    const records = input.records.map((record) => {
      if (record.kind !== 'sample') return record;
      const key = JSON.stringify(record.cell);
      if (!times.has(key)) times.set(key, record.runs);
      return { ...record, runs: times.get(key) as typeof record.runs };
    });
    const report = summarise({ ...input, records });
    for (const csv of [summaryCsv, speedupsCsv, averagesCsv, samplesCsv]) {
      const text = [...csv(report)].join('');
      expect(text).not.toMatch(/NaN|Infinity/);
      expect(text.length).toBeGreaterThan(100);
    }
  });
});
