import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { GateReport } from '../../src/gate/model.ts';
import { readManifest } from '../../src/results/reader.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
let dir: string;
let checkout: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ortbench-two-'));
  checkout = join(dir, 'older');
  for (const part of ['dist', 'configs', 'runners'])
    cpSync(join(root, part), join(checkout, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
  const facts = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  writeFileSync(join(checkout, 'package.json'), JSON.stringify({ ...facts, version: '0.0.9' }));
  // The older ortbench takes half as long for a decode step: what is compared is the harness, not the config.
  const decoder = join(checkout, 'dist/engines/fake/decoder.js');
  const source = readFileSync(decoder, 'utf8');
  const quicker = source.replace('this.#options.stepMs *', '0.5 * this.#options.stepMs *');
  expect(quicker).not.toBe(source);
  writeFileSync(decoder, quicker);
  writeFileSync(
    join(dir, 'gate.yaml'),
    stringify({
      models: ['llama-nano'],
      engines: [{ engine: 'fake', options: { stepMs: 8, prefillMsPerToken: 1 } }],
      precisions: ['fp32'],
      batchSizes: [1],
      promptLengths: [8],
      generate: 8,
      warmup: { runs: 1, seconds: 0 },
      minTimedSeconds: 0,
      threads: 1,
    }),
  );
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

// A machine that is held up for seconds may hide the difference once, not three times.
it('finds that ortbench itself became slower between two builds', {
  timeout: 600_000,
  retry: 2,
}, async () => {
  rmSync(join(dir, 'out'), { recursive: true, force: true });
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(root, 'dist/cli.js'),
      ...['compare', 'gate.yaml', '--no-parity', '--baseline-ortbench', checkout],
      ...['--pairs', '6', '--out', 'out', '--json'],
    ],
    { cwd: dir, encoding: 'utf8', env: { ...process.env, CI: '1', NO_COLOR: '1' } },
  );
  expect(status, stderr).toBe(1);
  const report: GateReport = JSON.parse(stdout);
  expect(report).toMatchObject({ verdict: 'regression', mode: 'live', pairs: 6 });
  expect(report.baseline).toBe('gate (ortbench 0.0.9)');
  expect(report.candidate).toMatch(/^gate \(ortbench \d+\.\d+\.\d+( at [0-9a-f]{12}(-dirty)?)?\)$/);
  const decode = report.rows.find(({ phase }) => phase === 'decode')!;
  expect(decode).toMatchObject({ verdict: 'regression', stage: 2, pairs: 12 });
  expect(decode.slowdown!.estimate).toBeGreaterThan(1.5);
  // A process of its own build for each half of a pair, in seeded random order.
  const halves = readdirSync(join(dir, 'out/stage1')).filter((name) => !name.endsWith('.yaml'));
  expect(halves).toHaveLength(12);
  for (const half of halves) {
    const { environment } = await readManifest(join(dir, 'out/stage1', half));
    expect(environment.ortbench === '0.0.9', half).toBe(half.endsWith('-baseline'));
  }
  expect(existsSync(join(dir, 'out/stage2/011-candidate/records.jsonl'))).toBe(true);
});
