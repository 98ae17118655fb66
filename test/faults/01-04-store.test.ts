import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decodeLine } from '../../src/results/line.ts';
import { cellKey } from '../../src/schema/cell.ts';
import { type Finished, finish, outcomesOf, said, variant, Workplace } from '../fixtures/workplace.ts';

const injector = fileURLToPath(new URL('../fixtures/faults/io.mjs', import.meta.url));
/** Every operation, or one of each so many: `npm run test:faults -- --every` sets 1. */
const STRIDE = Number(process.env.ORTBENCH_TEST_STRIDE ?? 9);
/** Which ones, so that STRIDE runs strike at all: the next with each run of `--repeat`, else with each day. */
const OFFSET = Number(process.env.ORTBENCH_TEST_OFFSET ?? Math.floor(Date.now() / 86_400_000));
/** Part of the titles: whoever reads of a failure can have it again. */
const AGAIN = `ORTBENCH_TEST_OFFSET=${OFFSET}`;
const MINUTES = 60_000;

const CELLS = 2;
const SWEEP = {
  engines: [variant('a')],
  generate: 4,
  repetitions: 1,
  warmup: { runs: 0, seconds: 0 },
  measureMemory: false,
};
const ARGS = ['sweep', 'run.yaml', '--out', 'out', '--no-parity'];

interface Strike {
  readonly at: number;
  readonly fault: string;
  readonly onwards?: boolean;
}

function makePlace(): Workplace {
  const place = new Workplace();
  place.config('run.yaml', SWEEP);
  return place;
}

/** Runs the program with a disk that strikes; what happened on it comes back line by line. */
async function runOn(
  place: Workplace,
  args: readonly string[],
  strike: Strike,
): Promise<Finished & { log: string[] }> {
  const log = `${place.dir}.log`;
  rmSync(log, { force: true });
  const settings = JSON.stringify({ root: place.dir, log, ...strike });
  const finished = await place.run(args, {
    node: ['--import', injector],
    env: { ORTBENCH_TEST_IO: settings },
  });
  return { ...finished, log: readFileSync(log, 'utf8').trim().split('\n') };
}

const isOperation = (line: string) => line.startsWith('op ');
const operations = (log: readonly string[]) => log.filter(isOperation).length;

/** Bytes of the records that the program knew to be on disk. */
function acknowledged(log: readonly string[]): number {
  const acks = log.filter((line) => /^ack .*records\.jsonl \d+$/.test(line));
  return Number(acks.at(-1)?.split(' ').at(-1) ?? 0);
}

/** All lines of the records, those of a torn end aside. */
function linesOf(place: Workplace): string[] {
  const path = join(place.dir, 'out/records.jsonl');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8').split('\n').slice(0, -1);
}

function finishedIn(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const decoded = decodeLine(line);
    if ('problem' in decoded) throw new Error(decoded.problem);
    return decoded.record.kind === 'outcome' ? [cellKey(decoded.record.cell)] : [];
  });
}

const total = operations((await runOn(makePlace(), ARGS, { at: 0, fault: 'kill' })).log);
const strikes = Array.from({ length: total }, (_, i) => i + 1).filter(
  (at) => at % STRIDE === OFFSET % STRIDE,
);
/** A test for each ten of them, so that a failure names where. */
const tens = [...new Set(strikes.map((at) => Math.floor(at / 10)))].map(
  (ten) => [ten, strikes.filter((at) => Math.floor(at / 10) === ten)] as const,
);

describe(`1: SIGKILL of the harness at each file operation of a run, ${AGAIN}`, () => {
  it('strikes where it should', () => {
    expect(total).toBeGreaterThan(60);
  });

  it.each(tens)(
    'operations of the %d0s: acknowledged records stay, only unfinished cells are repeated',
    { timeout: 5 * MINUTES },
    async (_, at) => {
      for (const n of at) {
        const place = makePlace();
        const killed = await runOn(place, ARGS, { at: n, fault: 'kill' });
        const where = `operation ${n}: ${killed.log.filter(isOperation).at(-1)}`;
        expect(killed.signal, where).toBe('SIGKILL');
        const records = join(place.dir, 'out/records.jsonl');
        const bytes = acknowledged(killed.log);
        if (bytes > 0) expect(readFileSync(records)[bytes - 1], where).toBe(0x0a);
        const before = linesOf(place);
        const done = finishedIn(before);

        const hasRun = existsSync(join(place.dir, 'out/manifest.json'));
        const again = await place.run(hasRun ? [...ARGS, '--resume'] : ARGS);
        expect(again.code, `${where}\n${again.stderr}`).toBe(0);
        const lines = linesOf(place);
        expect(lines.slice(0, before.length), where).toEqual(before);
        const outcomes = finishedIn(lines);
        expect(outcomes, where).toHaveLength(CELLS);
        expect(new Set(outcomes).size, where).toBe(CELLS);
        // What was finished before the kill was not measured again.
        const repeated = lines.slice(before.length).flatMap((line) => {
          const decoded = decodeLine(line);
          return 'record' in decoded && decoded.record.kind === 'sample'
            ? [cellKey(decoded.record.cell)]
            : [];
        });
        expect(
          repeated.filter((key) => done.includes(key)),
          where,
        ).toEqual([]);
        const { interrupted } = await place.results();
        expect(interrupted, where).toBe(false);
        await place.expectNothingLeft();
        place.remove();
      }
    },
  );
});

describe('2: a damaged line', () => {
  it('at the end is dropped with a warning; in the middle it is refused, exit 4', async () => {
    const place = makePlace();
    expect((await place.run(ARGS)).code).toBe(0);
    const path = join(place.dir, 'out/records.jsonl');
    const whole = readFileSync(path, 'utf8');
    const lines = whole.split('\n');
    const last = lines.length - 2;
    for (const end of [lines[last]!.slice(0, 20), lines[last]!.replace('"kind"', '"kinf"')]) {
      writeFileSync(path, [...lines.slice(0, last), end].join('\n'));
      const { code, stderr } = await place.run(['report', 'out']);
      expect(code, stderr).toBe(0);
      expect(readFileSync(join(place.dir, 'out/report/headline.md'), 'utf8')).toContain('dropped');
    }
    writeFileSync(path, whole.replace(lines[3]!, lines[3]!.replace('"kind"', '"kinf"')));
    for (const args of [
      ['report', 'out'],
      [...ARGS, '--resume'],
    ]) {
      const { code, stderr } = await place.run(args);
      expect(stderr).toContain('records.jsonl:4 is damaged');
      expect(code).toBe(4);
    }
    await place.expectNothingLeft();
  });
});

describe(`3: a disk that fails, ${AGAIN}`, () => {
  const FAULTS = ['ENOSPC', 'EIO'];
  /** By turns, so that two rounds of STRIDE runs have both faults at every operation. */
  const turn = Math.floor(OFFSET / STRIDE);

  it.each(FAULTS)(
    '%s in a write, sync or rename: exit 4, and what was stored is kept',
    { timeout: 10 * MINUTES },
    async (fault) => {
      const failing = strikes.filter((_, i) => STRIDE === 1 || (i + turn) % 2 === FAULTS.indexOf(fault));
      for (const [i, at] of failing.entries()) {
        const place = makePlace();
        const { code, stderr, log } = await runOn(place, ARGS, {
          at,
          fault,
          onwards: (i + OFFSET) % 2 === 0,
        });
        const where = `operation ${at} of ${total}: ${stderr}`;
        // Fewer operations than with kills, which also strike where nothing can fail.
        if (!log.includes('struck')) continue;
        expect(code, where).toBe(4);
        expect(stderr, where).toContain(fault);
        expect(stderr, where).not.toContain('defect');
        expect(stderr, where).toContain('hint: ');
        const bytes = acknowledged(log);
        if (bytes > 0) {
          expect(readFileSync(join(place.dir, 'out/records.jsonl')).length, where).toBeGreaterThanOrEqual(
            bytes,
          );
          expect(() => finishedIn(linesOf(place)), where).not.toThrow();
        }
        await place.expectNothingLeft();
        place.remove();
      }
    },
  );

  it('leaves an earlier report untouched', { timeout: 5 * MINUTES }, async () => {
    const place = makePlace();
    expect((await place.run(ARGS)).code).toBe(0);
    const report = join(place.dir, 'out/report');
    const read = () =>
      readdirSync(report, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name)).toString('base64')])
        .sort();
    const before = read();
    // The same results with another title: every file but the CSVs would change.
    const manifest = join(place.dir, 'out/manifest.json');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"title": null', '"title": "Another"'));
    const all = operations(
      (await runOn(place, ['report', 'out', '--out', 'elsewhere'], { at: 0, fault: 'EIO' })).log,
    );
    expect(all).toBeGreaterThan(30);
    const step = STRIDE === 1 ? 3 : 16;
    for (let at = 1 + (OFFSET % step); at <= all; at += step) {
      const { code, stderr } = await runOn(place, ['report', 'out'], { at, fault: 'ENOSPC' });
      expect(code, stderr).toBe(4);
      expect(read()).toEqual(before);
      await place.expectNothingLeft();
    }
    expect((await place.run(['report', 'out'])).code).toBe(0);
    expect(read()).not.toEqual(before);
  });

  it.skipIf(!canMount())('holds on a disk that is really full', { timeout: MINUTES }, async () => {
    const place = makePlace();
    const disk = join(place.dir, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', disk]);
    try {
      const args = ['sweep', 'run.yaml', '--out', 'disk/out', '--no-parity'];
      const { code, stderr } = await place.run(args);
      expect(stderr).toMatch(/ENOSPC|no space/i);
      expect(code).toBe(4);
      expect(statfsSync(disk).blocks).toBeLessThan(10);
      const { records } = await place.results('disk/out');
      expect(outcomesOf(records).length).toBeGreaterThan(0);
      await place.expectNothingLeft();
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});

describe('4: two harnesses on one results folder', () => {
  it('the second fails at once, naming the first; a stale lock is recovered', async () => {
    const place = new Workplace();
    place.config('run.yaml', { ...SWEEP, engines: [variant('a', { stepMs: 30 })], repetitions: 20 });
    const first = place.start(ARGS);
    await said(first, 'results in');
    const started = performance.now();
    const second = await place.run([...ARGS, '--resume']);
    expect(second.code).toBe(4);
    expect(second.stderr).toContain(`lock is held by process ${first.pid}`);
    expect(performance.now() - started).toBeLessThan(30_000);
    first.kill('SIGKILL');
    await finish(first);
    expect(existsSync(join(place.dir, 'out/lock'))).toBe(true);
    place.config('run.yaml', { ...SWEEP, engines: [variant('a', { stepMs: 30 })], repetitions: 20 });
    const third = await place.run([...ARGS, '--resume']);
    expect(third.code, third.stderr).toBe(0);
    await place.expectNothingLeft();
  });

  it('a lock whose number is by now another process is stale', async () => {
    const place = makePlace();
    mkdirSync(join(place.dir, 'out'));
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await once(other, 'spawn');
    const owner = { pid: other.pid, start: 'an earlier boot/1', host: hostname(), token: 'old' };
    writeFileSync(join(place.dir, 'out/lock'), JSON.stringify(owner));
    const { code, stderr } = await place.run(ARGS);
    other.kill('SIGKILL');
    expect(code, stderr).toBe(0);
    await place.expectNothingLeft();
  });
});

function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const place = new Workplace();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', place.dir], { stdio: 'ignore' });
    execFileSync('umount', [place.dir]);
    return true;
  } catch {
    return false;
  }
}
