import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { cpuClocksMHz } from '../../src/machine/clock.ts';
import { readResults } from '../../src/results/reader.ts';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ortbench-known-'));
  const engines = [{ engine: 'fake', options: { stepMs: 10, prefillMsPerToken: 5 } }];
  const shape = { precisions: ['fp32'], batchSizes: [2], promptLengths: [2], generate: 2, repetitions: 40 };
  const quick = { warmup: { runs: 1, seconds: 0 }, minTimedSeconds: 0, threads: 1, baselines: [] };
  writeFileSync(join(dir, 'known.yaml'), stringify({ models: ['llama-nano'], engines, ...shape, ...quick }));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function ortbench(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    cwd: dir,
    encoding: 'utf8',
    env: { ...process.env, CI: '1', NO_COLOR: '1', ...env },
  });
  expect(status, stderr).toBe(0);
  return stdout;
}

/** Rows of a CSV file without quoted fields, as objects. */
function rowsOf(folder: string, file: string): Record<string, string>[] {
  const text = readFileSync(join(dir, folder, 'report', file), 'utf8');
  const [head, ...rows] = text
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  return rows.map((row) => Object.fromEntries(head!.map((name, i) => [name, row[i]!])));
}

// Two sequences: 2 tokens in one step of 10 ms, and 4 prompt tokens in 20 ms.
const COLUMNS = ['generation_tokens_per_second', 'prompt_tokens_per_second'];
const TRUTH = 200;
const isClose = (rates: readonly number[]) => rates.every((rate) => rate / TRUTH > 0.99);

it('an engine that takes 10 ms a token and 5 ms a prompt token is reported within 1 %', {
  timeout: 240_000,
}, () => {
  // Neighbours on a shared machine make a whole run slower: one of three has to be left alone by them.
  const runs = ['first', 'second', 'third'];
  const disturbed: string[] = [];
  for (const out of runs) {
    ortbench(['sweep', 'known.yaml', '--no-parity', '--out', out]);
    const [cell] = rowsOf(out, 'summary.csv');
    const medians = COLUMNS.map((column) => Number(cell![column]));
    // No clock can make it quicker than it is, whatever else runs.
    for (const rate of medians) expect(rate / TRUTH).toBeLessThan(1.001);
    if (isClose(medians)) return;
    // A report may be wrong about a busy machine, and then has to say so.
    expect(cell!.flags, `${out}: ${medians.join(', ')} tokens/s`).toMatch(/busy-machine|noisy|imprecise/);
    disturbed.push(out);
  }
  // Not one quiet run to be had here: what the neighbours left alone must be right all the same.
  const samples = disturbed.flatMap((out) => rowsOf(out, 'samples.csv'));
  const quickest = COLUMNS.map((column) => Math.max(...samples.map((row) => Number(row[column]))));
  expect(isClose(quickest), `the quickest of all samples: ${quickest.join(', ')} tokens/s`).toBe(true);
});

it('every sample says what the machine told of its clock, be it nothing', async () => {
  const { records } = await readResults(join(dir, 'first'));
  const samples = records.filter((record) => record.kind === 'sample');
  expect(samples).toHaveLength(40);
  for (const { clock, runs } of samples) {
    expect(clock!.watchedNs).toBeGreaterThan(runs[0]!.wallNs);
    if (cpuClocksMHz().length === 0) expect(clock!.cpuMHz).toBeNull();
    else expect(clock!.cpuMHz).toBeGreaterThan(100);
    expect(clock!.gpuMHz).toBeNull();
  }
});

it('the same records give the same bytes in another process, time zone and language', {
  timeout: 60_000,
}, () => {
  ortbench(['report', 'first', '--out', 'a'], { TZ: 'Asia/Kathmandu', LANG: 'C', LC_ALL: 'C' });
  ortbench(['report', 'first', '--out', 'b'], {
    TZ: 'America/St_Johns',
    LANG: 'de_DE.UTF-8',
    LC_ALL: 'de_DE.UTF-8',
  });
  const files = (folder: string) =>
    readdirSync(join(dir, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(join(dir, folder).length))
      .sort();
  expect(files('a').length).toBeGreaterThan(7);
  expect(files('b')).toEqual(files('a'));
  for (const name of files('a')) {
    expect(readFileSync(join(dir, 'b', name)).equals(readFileSync(join(dir, 'a', name))), name).toBe(true);
  }
});
