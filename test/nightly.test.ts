import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { loadSweep } from '../src/config/load.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const file = (name: string) => join(root, name);
let dir: string;
const pathWithoutNpm = () => `${join(dir, 'bin')}:${process.env.PATH}`;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ortbench-nightly-'));
  // The checkout is ready, and a test installs nothing.
  mkdirSync(join(dir, 'bin'));
  writeFileSync(join(dir, 'bin/npm'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

// A shell script; on Windows the workflow runs it in Git's shell.
describe.skipIf(process.platform === 'win32')('docs/ci/nightly.sh', () => {
  const variant = (name: string) => ({ engine: 'fake', name, options: { stepMs: 2, prefillMsPerToken: 1 } });
  const sweep = {
    models: ['llama-nano'],
    engines: [variant('released'), variant('nightly')],
    precisions: ['fp32'],
    batchSizes: [1],
    promptLengths: [8],
    generate: 8,
    warmup: { runs: 1, seconds: 0 },
    minTimedSeconds: 0,
    threads: 1,
  };

  it('keeps every night, its charts and the trend over all of them', { timeout: 300_000 }, () => {
    const config = join(dir, 'night.yaml');
    const nightly = join(dir, 'nightly');
    writeFileSync(config, stringify(sweep));
    const night = () =>
      spawnSync(
        'bash',
        [file('docs/ci/nightly.sh'), config, 'released', 'nightly', '--pairs', '6', '--no-parity'],
        {
          cwd: dir,
          encoding: 'utf8',
          env: {
            ...process.env,
            PATH: pathWithoutNpm(),
            CI: '1',
            NO_COLOR: '1',
            NIGHTLY: nightly,
            GITHUB_STEP_SUMMARY: '',
          },
        },
      );
    const first = night();
    expect([0, 3], first.stderr).toContain(first.status);
    const second = night();
    expect([0, 3], second.stderr).toContain(second.status);
    expect(second.stdout).toContain('2 runs, ');
    const nights = readdirSync(nightly);
    expect(nights).toHaveLength(2);
    for (const name of [
      'gate.json',
      'gate.md',
      'gate.xml',
      'bencher.json',
      'benchmark.json',
      'report/summary.csv',
    ])
      expect(existsSync(join(nightly, nights[0]!, name)), name).toBe(true);
    const trend = `${nightly}-history`;
    expect(readFileSync(join(trend, 'history.html'), 'utf8')).toContain('<svg');
    const { runs, lines } = JSON.parse(readFileSync(join(trend, 'history.json'), 'utf8'));
    expect(runs).toHaveLength(2);
    // Two variants, two phases.
    expect(lines).toHaveLength(4);
  });

  it('has the exit code of the gate when that never began', () => {
    const { status, stderr } = spawnSync('bash', [file('docs/ci/nightly.sh'), join(dir, 'absent.yaml')], {
      encoding: 'utf8',
      env: { ...process.env, PATH: pathWithoutNpm(), NIGHTLY: join(dir, 'none') },
    });
    expect(stderr).toContain('absent.yaml');
    expect(status).toBe(2);
  });
});

describe('the nightly files', () => {
  it('fit each other: the config has the variants that the script names', async () => {
    const { sweep } = await loadSweep(file('configs/nightly.yaml'));
    expect(sweep.engines.map(({ name }) => name)).toEqual(['released', 'nightly']);
    const script = readFileSync(file('docs/ci/nightly.sh'), 'utf8');
    for (const { name } of sweep.engines) expect(script).toContain(`:-${name}}`);
  });

  interface Step {
    readonly uses?: string;
    readonly run?: string;
    readonly if?: string;
    readonly with?: { readonly path?: string; readonly key?: string; readonly 'restore-keys'?: string };
  }
  const steps = (): Step[] => parse(readFileSync(file('docs/ci/nightly.yml'), 'utf8')).jobs.gate.steps;
  const using = (action: string) => steps().filter(({ uses }) => uses?.startsWith(`${action}@`));
  const gateAt = () => steps().findIndex(({ run }) => run?.includes('docs/ci/nightly.sh'));

  it('are one job: the workflow runs the script, and uploads the folders that it writes', () => {
    expect(gateAt()).toBeGreaterThan(0);
    const uploads = using('actions/upload-artifact');
    expect(uploads.map((step) => step.with?.path)).toEqual(['results/nightly-history', 'results/nightly']);
    for (const upload of uploads) expect(upload.if).toBe('always()');
  });

  it('keep every night in the history, also one whose job fails', () => {
    const [restore, ...others] = using('actions/cache/restore');
    const [save, ...more] = using('actions/cache/save');
    expect([...others, ...more, ...using('actions/cache')]).toEqual([]);
    expect(save!.if).toBe('always()');
    expect(save!.with).toMatchObject({ path: 'results/nightly', key: restore!.with!.key });
    expect(restore!.with!.path).toBe('results/nightly');
    // A key is written once: each night, and each new attempt at it, has its own, and the newest of all is restored.
    for (const part of ['github.run_id', 'github.run_attempt']) expect(save!.with!.key).toContain(part);
    expect(save!.with!.key!.startsWith(restore!.with!['restore-keys']!)).toBe(true);
    const at = (action: string) => steps().findIndex(({ uses }) => uses?.startsWith(`${action}@`));
    expect(at('actions/cache/restore')).toBeLessThan(gateAt());
    expect(at('actions/cache/save')).toBeGreaterThan(gateAt());
  });
});
