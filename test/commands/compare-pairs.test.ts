import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { pairsFromResults } from '../../src/commands/compare/noise.ts';
import type { GateReport, Variant } from '../../src/gate/model.ts';
import { pairCells } from '../../src/gate/pairs.ts';
import { choosePairs } from '../../src/gate/power.ts';
import { summarise } from '../../src/report/summary.ts';
import { readManifest, readResults } from '../../src/results/reader.ts';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'ortbench-pairs-'));
const at = (name: string) => join(dir, name);

function ortbench(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    cwd: dir,
    encoding: 'utf8',
    env: { ...process.env, CI: '1', NO_COLOR: '1' },
  });
  return { status, stdout, stderr };
}
const compare = (...args: string[]) => ortbench('compare', 'gate.yaml', '--no-parity', '--json', ...args);
const reportOf = (stdout: string): GateReport => JSON.parse(stdout);

beforeAll(() => {
  const variant = (name: string, stepMs: number) => ({
    engine: 'fake',
    name,
    options: { stepMs, prefillMsPerToken: stepMs / 8 },
  });
  const sweep = {
    models: ['llama-nano'],
    precisions: ['fp32'],
    batchSizes: [1],
    promptLengths: [8],
    generate: 3,
    warmup: { runs: 1, seconds: 0 },
    minTimedSeconds: 0,
    threads: 1,
    repetitions: 8,
    // So far apart that no neighbour on a busy machine makes them alike.
    engines: [variant('quick', 20), variant('slow', 120)],
  };
  writeFileSync(at('gate.yaml'), stringify(sweep));
  const { status, stderr } = ortbench('sweep', 'gate.yaml', '--no-parity', '--out', 'stored');
  expect(status, stderr).toBe(0);
}, 120_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

// A candidate that is faster is clear after the first stage.
const FASTER = ['--baseline', 'slow', '--candidate', 'quick'];

describe('a number of pairs that the gate chooses', () => {
  it('comes from a pilot, whose pairs are not used again', { timeout: 180_000 }, async () => {
    const { status, stdout, stderr } = compare(
      ...FASTER,
      '--pairs',
      'auto',
      '--max-pairs',
      '12',
      '--out',
      'auto',
    );
    expect(status, stderr).toBe(0);
    const report = reportOf(stdout);
    const pilot = await readResults(at('auto/pilot'));
    expect(pilot.manifest.repetitions).toBe(15);
    const reports = [summarise(pilot)];
    const side = (engine: string) => ({ variant: { engine, precision: null } satisfies Variant, reports });
    const [cell] = pairCells(side('slow'), side('quick')).cells;
    const chosen = choosePairs([cell!.logs.prefill, cell!.logs.decode], 12);
    expect(report.pairs).toBe(chosen.pairs);
    expect(report.pairs).toBeGreaterThanOrEqual(10);
    expect(report.pairsReason).toContain('noise of a pilot of 15 pairs');
    expect(report.pairsReason).toContain(chosen.enough ? 'with 95 % power' : 'the most allowed');
    expect(report.results).toEqual(['auto/pilot', 'auto/stage1']);
    for (const row of report.rows) expect(row).toMatchObject({ verdict: 'ok', pairs: chosen.pairs });
    expect((await readManifest(at('auto/stage1'))).repetitions).toBe(chosen.pairs);
  });

  it('comes from the noise of stored results, without a pilot', { timeout: 180_000 }, async () => {
    const noise = ['--noise-from', 'stored', '--max-pairs', '11'];
    const { status, stdout, stderr } = compare(...FASTER, ...noise, '--out', 'noise');
    expect(status, stderr).toBe(0);
    const report = reportOf(stdout);
    const { pairs, reason } = await pairsFromResults(at('stored'), 11);
    expect(report.pairs).toBe(pairs);
    expect(report.pairsReason).toBe(reason.replace(at('stored'), 'stored'));
    expect(report.results).toEqual(['noise/stage1']);
    expect(existsSync(at('noise/pilot'))).toBe(false);
  });

  it('is refused where there is nothing to choose it from, or two are given', () => {
    const gate = readFileSync(at('gate.yaml'), 'utf8');
    writeFileSync(at('few.yaml'), gate.replace('repetitions: 8', 'repetitions: 3'));
    const few = ortbench('sweep', 'few.yaml', '--no-parity', '--out', 'few');
    expect(few.status, few.stderr).toBe(0);
    const without = compare(...FASTER, '--noise-from', 'few');
    expect(without.status).toBe(2);
    expect(without.stderr).toContain('--noise-from few: no cell there has six rounds');
    const both = compare(...FASTER, '--noise-from', 'stored', '--pairs', '9');
    expect(both.status).toBe(2);
    expect(both.stderr).toContain('--noise-from chooses the pairs, and --pairs gives them');
  });
});

describe('a config that is swept now, against stored results', () => {
  const against = (...args: string[]) => compare('--against', 'stored', ...args);
  const SLOWER = ['--baseline', 'quick', '--candidate', 'slow'];

  it('is judged unpaired, from as many rounds as were asked for', { timeout: 120_000 }, async () => {
    const { status, stdout, stderr } = against(...SLOWER, '--pairs', '7', '--out', 'now');
    expect(status, stderr).toBe(1);
    const report = reportOf(stdout);
    expect(report).toMatchObject({ mode: 'stored', verdict: 'regression', pairs: null, warnings: [] });
    expect(report.results).toEqual(['stored', 'now/candidate']);
    for (const row of report.rows) {
      expect(row).toMatchObject({ stage: null, pairs: 7, adjustedP: null });
      expect(row.slowdown!.estimate).toBeGreaterThan(2);
      expect(row.reason).toContain('unpaired');
    }
    const { engines, repetitions } = await readManifest(at('now/candidate'));
    expect(engines.map(({ name }) => name)).toEqual(['slow']);
    expect(repetitions).toBe(7);
  });

  it('warns only when they are of another machine', { timeout: 120_000 }, () => {
    const path = at('stored/manifest.json');
    const manifest = readFileSync(path, 'utf8');
    writeFileSync(path, manifest.replace(/"memoryMiB": \d+/, '"memoryMiB": 1'));
    const { status, stdout } = against(...SLOWER, '--pairs', '6', '--out', 'elsewhere');
    writeFileSync(path, manifest);
    expect(status).toBe(3);
    const report = reportOf(stdout);
    expect(report.rows.map(({ verdict }) => verdict)).toEqual(['inconclusive', 'inconclusive']);
    expect(report.warnings.join()).toContain('memoryMiB was 1 and is');
  });

  it.each([
    [['--pairs', 'auto'], '--pairs auto is for live comparisons'],
    [['--max-pairs', '20'], '--max-pairs is for live comparisons'],
    [['--noise-from', 'stored'], '--noise-from is for live comparisons'],
  ])('refuses %j, which it could not heed', (options, message) => {
    const { status, stdout, stderr } = against(...SLOWER, ...options);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  it.each([
    [['--pairs', '20'], '--pairs is for comparisons that measure'],
    [['--only', 'batchSize=1'], '--only is for comparisons that measure'],
  ])('refuses %j where both sides are stored', (options, message) => {
    const { status, stdout, stderr } = ortbench(
      'compare',
      'stored',
      '--against',
      'stored',
      ...SLOWER,
      ...options,
    );
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});
