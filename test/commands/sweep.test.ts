import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { readResults } from '../../src/results/reader.ts';
import { cellKey } from '../../src/schema/cell.ts';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

const variant = (name: string, options: Record<string, unknown>) => ({ engine: 'fake', name, options });
const base = {
  models: ['llama-nano'],
  precisions: ['fp32'],
  batchSizes: [1, 2],
  promptLengths: [8],
  generate: 12,
  repetitions: 6,
  warmup: { runs: 1, seconds: 0 },
  minTimedSeconds: 0,
  threads: 1,
};

class Workplace {
  readonly dir = mkdtempSync(join(tmpdir(), 'ortbench-sweep-'));
  child: ChildProcess | undefined;

  config(name: string, sweep: Record<string, unknown>): string {
    writeFileSync(join(this.dir, name), stringify({ ...base, ...sweep }));
    return name;
  }

  start(...args: string[]): ChildProcess {
    this.child = spawn(process.execPath, [cli, ...args], {
      cwd: this.dir,
      env: { ...process.env, CI: '1', NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return this.child;
  }

  async run(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    return finish(this.start(...args));
  }

  results = (out: string) => readResults(join(this.dir, out));
}

async function finish(child: ChildProcess) {
  let stdout = '';
  let stderr = '';
  child.stdout!.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr!.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, 'close');
  return { code: code as number | null, stdout, stderr };
}

const statuses = async (place: Workplace, out: string) => {
  const { records } = await place.results(out);
  return Object.fromEntries(
    records.flatMap((record) =>
      record.kind === 'outcome' ? [[`${record.cell.engine}/b${record.cell.batchSize}`, record.status]] : [],
    ),
  );
};

describe('ortbench sweep', () => {
  it('goes from YAML to CSV and charts, and makes nothing quicker than it is', async () => {
    const place = new Workplace();
    const config = place.config('two.yaml', {
      engines: [
        variant('quick', { stepMs: 5, prefillMsPerToken: 1 }),
        variant('slow', { stepMs: 10, prefillMsPerToken: 3 }),
      ],
      baselines: [{ engine: 'slow' }],
    });
    const { code, stdout, stderr } = await place.run('sweep', config, '--out', 'out');
    expect(stderr).toContain('4 of 4 cells');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/inside the engines/);
    const report = join(place.dir, 'out/report');
    for (const file of ['summary.csv', 'samples.csv', 'speedups.csv', 'headline.md']) {
      expect(existsSync(join(report, file)), file).toBe(true);
    }
    expect(readdirSync(report, { recursive: true }).some((name) => String(name).endsWith('.png'))).toBe(true);
    const [header, ...rows] = readFileSync(join(report, 'speedups.csv'), 'utf8').trim().split('\n');
    const column = header!.split(',').indexOf('speedup');
    const quick = rows.filter((line) => line.includes('quick')).map((line) => line.split(','));
    expect(quick).toHaveLength(4);
    // A machine that others use too may hold up either side for any time: that the arithmetic is right is for test/stats
    // to show, and how near the truth a quiet moment comes for known-speed.test.ts.
    for (const fields of quick) expect(Number(fields[column]), fields.join()).toBeGreaterThan(0);
    const [summaryHeader, ...cells] = readFileSync(join(report, 'summary.csv'), 'utf8').trim().split('\n');
    for (const [title, msPerToken] of [
      ['generation_tokens_per_second', { quick: 5, slow: 10 }],
      ['prompt_tokens_per_second', { quick: 1, slow: 3 }],
    ] as const) {
      const at = summaryHeader!.split(',').indexOf(title);
      for (const fields of cells.map((line) => line.split(','))) {
        const batch = title.startsWith('generation') ? Number(fields[4]) : 1;
        const script = (batch * 1000) / msPerToken[fields[1] as 'quick' | 'slow'];
        expect(Number(fields[at]), `${title}: nothing is quicker than its script`).toBeLessThan(
          script * 1.001,
        );
        expect(Number(fields[at])).toBeGreaterThan(0);
      }
    }
  });

  it('interleaves: every round runs every engine once, in varying order', async () => {
    const place = new Workplace();
    const config = place.config('three.yaml', {
      engines: ['a', 'b', 'c'].map((name) => variant(name, { stepMs: 0.1 })),
      batchSizes: [1],
      repetitions: 12,
    });
    expect((await place.run('sweep', config, '--out', 'out')).code).toBe(0);
    const { records } = await place.results('out');
    const order = records.flatMap((record) => (record.kind === 'sample' ? [record.cell.engine] : []));
    const rounds = Array.from({ length: 12 }, (_, round) => order.slice(round * 3, round * 3 + 3));
    for (const round of rounds) expect([...round].sort()).toEqual(['a', 'b', 'c']);
    expect(new Set(rounds.map((round) => round.join(''))).size).toBeGreaterThan(2);
  });

  it('keeps on when a cell fails, and shows the failure in every report', async () => {
    const place = new Workplace();
    const config = place.config('faults.yaml', {
      engines: [
        variant('sound', {}),
        variant('failing', { fault: 'generate-fails', faultFromBatch: 2 }),
        variant('hungry', { fault: 'oom', faultFromBatch: 2 }),
        variant('fickle', { fault: 'changes-answer' }),
      ],
      batchSizes: [1, 2, 4],
    });
    const { code, stdout } = await place.run('sweep', config, '--out', 'out');
    expect(code).toBe(4);
    expect(await statuses(place, 'out')).toEqual({
      'sound/b1': 'ok',
      'sound/b2': 'ok',
      'sound/b4': 'ok',
      'failing/b1': 'ok',
      'failing/b2': 'failed',
      'failing/b4': 'failed',
      'hungry/b1': 'ok',
      'hungry/b2': 'oom',
      'hungry/b4': 'skipped',
      'fickle/b1': 'invalid',
      'fickle/b2': 'invalid',
      'fickle/b4': 'invalid',
    });
    const summary = readFileSync(join(place.dir, 'out/report/summary.csv'), 'utf8');
    expect(summary).toContain('scripted: the generation fails');
    expect(stdout).toContain('scripted: the generation fails');
  });

  it('survives the crash and the silence of a process of its own', async () => {
    const place = new Workplace();
    const config = place.config('crash.yaml', {
      engines: [
        variant('sound', {}),
        variant('crashing', { fault: 'crash', faultFromBatch: 2 }),
        variant('silent', { fault: 'exit-silently', faultFromBatch: 2 }),
        variant('hanging', { fault: 'hang', faultFromBatch: 2 }),
      ],
      isolation: 'process',
      timeLimits: { cellSeconds: 1.5 },
    });
    const { code } = await place.run('sweep', config, '--out', 'out');
    expect(code).toBe(4);
    expect(await statuses(place, 'out')).toMatchObject({
      'sound/b2': 'ok',
      'crashing/b1': 'ok',
      'crashing/b2': 'crashed',
      'silent/b2': 'protocol-error',
      'hanging/b2': 'timeout',
    });
  });

  it.each(['in-process', 'process'])(
    'leaves a valid partial result on Ctrl-C (%s), and resumes what was not finished',
    async (isolation) => {
      const place = new Workplace();
      const config = place.config('long.yaml', {
        isolation,
        engines: [variant('a', { stepMs: 5 }), variant('b', { stepMs: 5 })],
        batchSizes: [1, 2, 3, 4],
        generate: 24,
      });
      const child = place.start('sweep', config, '--out', 'out');
      let seen = '';
      child.stderr!.on('data', (chunk) => {
        // Once: a second signal ends the sweep without a report.
        const before = seen.includes('/b2/');
        seen += chunk;
        if (!before && seen.includes('/b2/')) child.kill('SIGINT');
      });
      expect((await finish(child)).code).toBe(130);
      const partial = await place.results('out');
      expect(partial.interrupted).toBe(true);
      expect(existsSync(join(place.dir, 'out/report/summary.csv'))).toBe(true);
      const finishedBefore = partial.records.filter(({ kind }) => kind === 'outcome').length;
      expect(finishedBefore).toBeGreaterThan(0);
      expect(finishedBefore).toBeLessThan(8);

      const again = await place.run('sweep', config, '--out', 'out', '--resume');
      expect(again.code, again.stderr).toBe(0);
      const whole = await place.results('out');
      const outcomes = whole.records.flatMap((record) =>
        record.kind === 'outcome' ? [cellKey(record.cell)] : [],
      );
      expect(outcomes).toHaveLength(8);
      expect(new Set(outcomes).size).toBe(8);
      expect(whole.interrupted).toBe(false);
    },
  );

  it('refuses a folder that holds another run, and to resume another config', async () => {
    const place = new Workplace();
    const engines = [variant('a', {})];
    await place.run('sweep', place.config('a.yaml', { engines }), '--out', 'out');
    const occupied = await place.run('sweep', place.config('a.yaml', { engines }), '--out', 'out');
    expect(occupied).toMatchObject({ code: 2 });
    expect(occupied.stderr).toContain('--resume');
    const other = await place.run(
      'sweep',
      place.config('b.yaml', { engines, seed: 7 }),
      '--out',
      'out',
      '--resume',
    );
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/another one.*seed/);
  });

  it('makes the same report again from the results alone, byte for byte', async () => {
    const place = new Workplace();
    mkdirSync(join(place.dir, 'results'));
    const config = place.config('same.yaml', {
      engines: [variant('a', { stepMs: 1 }), variant('b', {})],
      baselines: [{ engine: 'b' }],
    });
    const { stdout } = await place.run('sweep', config, '--json');
    const { results, report } = JSON.parse(stdout);
    expect(report).toMatch(/^reports\/same-/);
    expect((await place.run('report', results, '--out', 'again')).code).toBe(0);
    const names = readdirSync(join(place.dir, report), { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile(),
    );
    expect(names.length).toBeGreaterThan(5);
    for (const { parentPath, name } of names) {
      const path = join(parentPath, name);
      const twin = path.replace(join(place.dir, report), join(place.dir, 'again'));
      expect(readFileSync(twin).equals(readFileSync(path)), name).toBe(true);
    }
  });
});
