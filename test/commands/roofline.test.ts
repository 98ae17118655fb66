import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { runDoctor } from '../../src/commands/doctor.ts';
import { rooflineFor } from '../../src/commands/roofline.ts';
import { capture, plain } from './capture.ts';

const load = { cores: [0] as (number | null)[] };
vi.mock('../../src/machine/load.ts', async (original) => ({
  ...(await original<object>()),
  watchOtherLoad: () => () => (load.cores.length > 1 ? load.cores.shift() : load.cores[0]),
}));

let dir: string;

/** A program in place of Python that prints these figures, and notes each call. */
function python(script: string): void {
  const file = join(dir, 'python');
  writeFileSync(file, `#!/bin/sh\necho "$@" >> ${dir}/calls\n${script}\n`);
  chmodSync(file, 0o755);
  vi.stubEnv('ORTBENCH_PYTHON', file);
}
const figures = (bytesPerSecond: number) => ({
  bandwidth: [{ workingSetBytes: 2 ** 20, bytesPerSecond, kernel: 'read' }],
  matrix: { fp32: { operationsPerSecond: 2e11, kernel: 'mm' }, fp16: null, bf16: null, int8: null },
  versions: { torch: '2.13' },
});
const calls = () => readFileSync(join(dir, 'calls'), 'utf8').trim().split('\n');

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ortbench-roofline-'));
  vi.stubEnv('ORTBENCH_CACHE', join(dir, 'cache'));
  load.cores = [0];
  python(`echo '${JSON.stringify(figures(5e10))}'`);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

it('doctor --roofline measures, prints and keeps it; the next sweep takes it as it is', async () => {
  const { code, stdout } = await capture(() => runDoctor({ roofline: true, threads: '2' }));
  expect(code).toBe(0);
  expect(plain(stdout)).toMatch(/1\.00 MiB +50\.0 +read/);
  expect(plain(stdout)).toMatch(/fp32 +200 +mm/);
  expect(plain(stdout)).toMatch(/fp16 +– +no library has it here/);
  const lines: string[] = [];
  const roofline = await rooflineFor(2, (line) => lines.push(line));
  expect(roofline).toMatchObject({ ...figures(5e10), threads: 2 });
  expect(lines).toEqual([]);
  expect(calls()).toHaveLength(1);
  expect(calls()[0]).toMatch(/-m ortbench_runners\.roofline --threads=2 --largest-mib=\d+/);
  await capture(() => runDoctor({ roofline: true, threads: '2', json: true }));
  expect(calls()).toHaveLength(2);
});

it('a sweep measures it once where there is none', async () => {
  const lines: string[] = [];
  expect(await rooflineFor(1, (line) => lines.push(line))).toMatchObject({ threads: 1 });
  expect(lines).toEqual([expect.stringMatching(/measuring .* \(not measured yet\)/)]);
  expect(await rooflineFor(1, (line) => lines.push(line))).not.toBeNull();
  expect(lines).toHaveLength(1);
});

it('a machine that does other work is not measured', async () => {
  load.cores = [1.4];
  const lines: string[] = [];
  expect(await rooflineFor(1, (line) => lines.push(line))).toBeNull();
  expect(lines).toEqual([expect.stringMatching(/not measured yet.* other processes use 1\.40 cores/)]);
  expect(existsSync(join(dir, 'calls'))).toBe(false);
});

it('a measurement that was disturbed is no roof, but what it reached counts in the next', async () => {
  load.cores = [0, 1.4];
  const lines: string[] = [];
  expect(await rooflineFor(1, (line) => lines.push(line))).toBeNull();
  expect(lines.at(-1)).toMatch(/other processes used 1\.40 cores .*: this run has no MBU and MFU/);
  python(`echo '${JSON.stringify(figures(1e10))}'`);
  load.cores = [0.01];
  const roofline = await rooflineFor(1, (line) => lines.push(line));
  expect(roofline?.bandwidth[0]?.bytesPerSecond).toBe(5e10);
  expect(calls()).toHaveLength(2);
});

it('a sweep goes on where it cannot be measured, and says why', async () => {
  python('echo "no torch" >&2; exit 1');
  const lines: string[] = [];
  expect(await rooflineFor(1, (line) => lines.push(line))).toBeNull();
  expect(lines.at(-1)).toMatch(/no torch.*this run has no MBU and MFU/s);
  vi.stubEnv('ORTBENCH_PYTHON', join(dir, 'nowhere'));
  expect(await rooflineFor(1, (line) => lines.push(line))).toBeNull();
  expect(lines.at(-1)).toMatch(/names no Python environment.*this run has no MBU and MFU/s);
});

it('refuses what is no number of threads, and options that go elsewhere', async () => {
  await expect(runDoctor({ roofline: true, threads: 'many' })).rejects.toThrow(/--threads many/);
  await expect(runDoctor({ roofline: true, rounds: '3' })).rejects.toThrow(/--rounds goes with --fidelity/);
});
