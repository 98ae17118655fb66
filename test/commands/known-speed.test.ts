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

/** The best of all runs: what a neighbour on a shared machine left alone. */
function quickest(folder: string, column: string): number {
  const [head, ...rows] = readFileSync(join(dir, folder, 'samples.csv'), 'utf8')
    .trim()
    .split('\n');
  const index = head!.split(',').indexOf(column);
  return Math.max(...rows.map((row) => Number(row.split(',')[index])));
}

it('an engine that takes 10 ms a token and 5 ms a prompt token is reported within 1 %', {
  timeout: 180_000,
}, () => {
  // Two sequences: 2 tokens in one step of 10 ms, and 4 prompt tokens in 20 ms.
  const columns = ['generation_tokens_per_second', 'prompt_tokens_per_second'];
  const close = ['first', 'second', 'third'].some((out) => {
    ortbench(['sweep', 'known.yaml', '--no-parity', '--out', out]);
    return columns.every((column) => {
      const ratio = quickest(`${out}/report`, column) / 200;
      // No clock can make it quicker than it is, whatever else runs.
      expect(ratio, column).toBeLessThan(1.001);
      return ratio > 0.99;
    });
  });
  expect(close).toBe(true);
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
