import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { GateReport } from '../../src/gate/model.ts';
import { readResults } from '../../src/results/reader.ts';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const published = fileURLToPath(new URL('../../configs/blog/published.yaml', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'ortbench-compare-'));

const variant = (name: string, options: Record<string, unknown> = {}) => ({
  engine: 'fake',
  name,
  options: { stepMs: 8, prefillMsPerToken: 1, ...options },
});
const sweep = {
  models: ['llama-nano'],
  precisions: ['fp32'],
  batchSizes: [1],
  promptLengths: [8],
  generate: 8,
  warmup: { runs: 1, seconds: 0 },
  minTimedSeconds: 0,
  threads: 1,
  engines: [
    variant('old'),
    variant('same'),
    // Half as slow again: a busy machine must not hide it.
    variant('slow', { stepMs: 12 }),
    variant('broken', { fault: 'generate-fails' }),
  ],
};

function compare(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'compare', ...args], {
    cwd: dir,
    encoding: 'utf8',
    env: {
      ...process.env,
      CI: '1',
      NO_COLOR: '1',
      GITHUB_STEP_SUMMARY: join(dir, 'summary.md'),
      GITHUB_ACTIONS: 'true',
    },
  });
  return { status, stdout, stderr };
}
const reportOf = (stdout: string): GateReport => JSON.parse(stdout);

beforeAll(() => {
  writeFileSync(join(dir, 'gate.yaml'), stringify(sweep));
});

/** A verdict is one of chance, too: a machine that is held up for seconds may hide a difference once, not three times. */
const RETRY = 2;
const LIVE = ['gate.yaml', '--no-parity', '--baseline', 'old'];

describe('live pairs', () => {
  it('finds a candidate that is slower, with fresh pairs, and tells every CI system', {
    timeout: 180_000,
    retry: RETRY,
  }, async () => {
    rmSync(join(dir, 'slow'), { recursive: true, force: true });
    const files = [
      '--markdown',
      'o/a.md',
      '--junit',
      'o/a.xml',
      '--bencher',
      'o/b.json',
      '--github-benchmark',
      'o/g.json',
    ];
    const { status, stdout, stderr } = compare(
      ...LIVE,
      '--candidate',
      'slow',
      '--out',
      'slow',
      '--json',
      ...files,
    );
    const report = reportOf(stdout);
    const decode = report.rows.find(({ phase }) => phase === 'decode')!;
    expect(status, stderr).toBe(1);
    expect(report).toMatchObject({ verdict: 'regression', pairs: 15, mode: 'live' });
    expect(decode).toMatchObject({ verdict: 'regression', stage: 2, pairs: 30 });
    expect(decode.slowdown!.estimate).toBeGreaterThan(1.2);
    for (const stage of report.results) {
      const { records, manifest } = await readResults(join(dir, stage));
      const rounds = stage.endsWith('stage2') ? 30 : 15;
      expect(manifest.engines.map(({ name }) => name)).toEqual(['old', 'slow']);
      expect(records.filter(({ kind }) => kind === 'sample')).toHaveLength(2 * rounds);
    }
    expect(JSON.parse(readFileSync(join(dir, 'slow/gate.json'), 'utf8'))).toEqual(report);
    expect(readFileSync(join(dir, 'o/a.md'), 'utf8')).toContain('**regression**');
    expect(readFileSync(join(dir, 'o/a.xml'), 'utf8')).toMatch(/failures="[12]"/);
    expect(Object.keys(JSON.parse(readFileSync(join(dir, 'o/b.json'), 'utf8')))).toHaveLength(2);
    expect(JSON.parse(readFileSync(join(dir, 'o/g.json'), 'utf8'))).toHaveLength(2);
    expect(readFileSync(join(dir, 'summary.md'), 'utf8')).toContain('**regression**');
    expect(stderr).toContain('::error title=ortbench regression::');
    // All of these were made with --no-parity.
    expect(report.parityUnchecked).toBe('--no-parity');
    expect(stderr).toContain('::warning title=ortbench::Parity was not checked (--no-parity)');
    for (const name of ['o/a.md', 'o/a.xml', 'o/g.json', 'summary.md'])
      expect(readFileSync(join(dir, name), 'utf8').replaceAll('\\', ''), name).toContain(
        'Parity was not checked (--no-parity)',
      );
    expect(readFileSync(join(dir, 'o/b.json'), 'utf8')).toContain('parity-unchecked');
  });

  it('does not find what is not there', { timeout: 180_000, retry: RETRY }, () => {
    const { status, stdout } = compare(...LIVE, '--candidate', 'same', '--pairs', '8', '--json');
    expect([0, 3]).toContain(status);
    expect(reportOf(stdout).rows.map(({ verdict }) => verdict)).not.toContain('regression');
  });

  it('is a failure of the infrastructure when the candidate has no such cell', () => {
    const { status, stdout } = compare(...LIVE, '--candidate', 'broken', '--pairs', '6', '--out', 'broken');
    expect(status).toBe(4);
    expect(stdout).toContain('candidate failed: scripted: the generation fails');
    expect(stdout).toContain('cells failed or are missing');
  });

  // Faster by far, so that one stage is enough: every pair is two programs.
  it('runs two configs in turns, a process for each of a pair', { timeout: 300_000, retry: RETRY }, () => {
    rmSync(join(dir, 'turns'), { recursive: true, force: true });
    const engines = [variant('old', { stepMs: 14, prefillMsPerToken: 3 })];
    writeFileSync(join(dir, 'other.yaml'), stringify({ ...sweep, engines }));
    const sides = ['--baseline', 'old', '--candidate', 'old', '--against', 'other.yaml', '--pairs', '6'];
    const { status, stdout, stderr } = compare(
      'gate.yaml',
      '--no-parity',
      ...sides,
      '--out',
      'turns',
      '--json',
    );
    const report = reportOf(stdout);
    expect(status, stderr).toBe(0);
    for (const row of report.rows) {
      expect(row).toMatchObject({ verdict: 'ok', stage: 1, pairs: 6 });
      expect(row.slowdown!.estimate).toBeLessThan(0.9);
    }
    expect(existsSync(join(dir, 'turns/stage1/005-baseline/records.jsonl'))).toBe(true);
    expect(existsSync(join(dir, 'turns/stage1/005-candidate/records.jsonl'))).toBe(true);
  });
});

describe('a config with more in it than a stage may have', () => {
  // Less than any cell is estimated to take: not one would be left.
  const rich = {
    ...sweep,
    precisions: ['fp32', 'int4'],
    batchSizes: [1, 2],
    repetitions: 1,
    published: 'figures/published.yaml',
    maxHours: 0.0000001,
    include: [
      { engine: ['old', 'slow', 'same'], batchSize: 1 },
      { engine: 'broken', batchSize: 2 },
    ],
    exclude: [{ precision: ['int4'], engine: ['old', 'same'] }, { engine: 'slow' }],
  };

  it('leaves published figures, hours and rules about others to the config', {
    timeout: 180_000,
  }, async () => {
    mkdirSync(join(dir, 'figures'), { recursive: true });
    copyFileSync(published, join(dir, 'figures/published.yaml'));
    writeFileSync(join(dir, 'rich.yaml'), stringify(rich));
    const sides = ['--baseline', 'old:fp32', '--candidate', 'same:fp32', '--pairs', '6', '--out', 'rich'];
    const { status, stdout, stderr } = compare('rich.yaml', '--no-parity', ...sides, '--json');
    expect([0, 3], stderr).toContain(status);
    const { rows, leftOut, results } = reportOf(stdout);
    expect([...new Set(rows.map(({ id }) => id))]).toEqual(['llama-nano/cpu/b1/p8/g8']);
    expect(leftOut).toEqual([{ id: 'llama-nano/cpu/b2/p8/g8', reason: 'skipped: matches no include rule' }]);
    const { manifest } = await readResults(join(dir, results[0]!));
    const config = manifest.config as Record<string, unknown>;
    expect(config).not.toHaveProperty('published');
    expect(config).not.toHaveProperty('maxHours');
    expect(config).toMatchObject({
      precisions: ['fp32'],
      include: [{ engine: ['old', 'same'], batchSize: [1] }],
      exclude: [],
    });
  });

  it('never runs everything because no include rule is left', () => {
    writeFileSync(join(dir, 'others.yaml'), stringify({ ...sweep, include: [{ engine: ['broken'] }] }));
    const { status, stdout, stderr } = compare('others.yaml', '--baseline', 'old', '--candidate', 'same');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(
      'others.yaml: no include rule takes old or same, so there is nothing to compare',
    );
  });

  it('fails where the rules leave out one side alone', { timeout: 60_000 }, () => {
    const include = [{ engine: 'same' }, { engine: 'broken' }];
    writeFileSync(join(dir, 'half.yaml'), stringify({ ...sweep, include }));
    const sides = ['--baseline', 'old', '--candidate', 'same', '--pairs', '6', '--out', 'half'];
    const { status, stdout } = compare('half.yaml', '--no-parity', ...sides);
    expect(status).toBe(4);
    expect(stdout).toContain('baseline skipped: matches no include rule');
  });
});

describe('stored results', () => {
  it('are judged unpaired on the same machine, and only warn on another', () => {
    const stored = (candidate: string, against: string) =>
      compare(candidate, '--against', against, '--baseline', 'old', '--candidate', 'slow', '--json');
    const { status, stdout } = stored('slow/stage2', 'slow/stage1');
    expect(status, stdout).toBe(1);
    expect(reportOf(stdout)).toMatchObject({ mode: 'stored', warnings: [] });
    const path = join(dir, 'slow/stage1/manifest.json');
    const manifest = readFileSync(path, 'utf8');
    writeFileSync(path, manifest.replace(/"cpuModel": "[^"]*"/, '"cpuModel": "Another"'));
    const warned = stored('slow/stage2', 'slow/stage1');
    writeFileSync(path, manifest);
    expect(warned.status).toBe(3);
    expect(reportOf(warned.stdout).warnings[0]).toContain('cpuModel was Another');
    expect(warned.stderr).toContain('::warning title=ortbench::');
  });
});

describe('mistakes', () => {
  it.each<[string[], string]>([
    [['gate.yaml'], 'compare needs to know what is compared'],
    [['gate.yaml', '--baseline', 'old', '--candidate', 'odl'], 'there is no engine "odl" here'],
    [['gate.yaml', '--baseline', 'old:fp16', '--candidate', 'slow'], 'there is no precision "fp16" here'],
    [['gate.yaml', '--baseline', 'old', '--candidate', 'old'], 'are both old'],
    [[...LIVE, '--candidate', 'slow', '--pairs', '3'], '--pairs 3: a whole number from 6 on'],
    [
      [...LIVE, '--candidate', 'slow', '--pairs', 'auto', '--max-pairs', '900'],
      '--max-pairs 900: at most 200',
    ],
    [[...LIVE, '--candidate', 'slow', '--baseline-ortbench', 'nowhere'], 'nowhere/dist/cli.js is not there'],
    [['.', '--against', 'gate.yaml'], 'stored results can only be compared with stored results'],
  ])('%j is exit code 2', (args, message) => {
    const { status, stdout, stderr } = compare(...args);
    expect(stderr).toContain(`error: `);
    expect(stderr).toContain(message);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });
});
