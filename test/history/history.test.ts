import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readHistory } from '../../src/history/history.ts';
import type { History, Line } from '../../src/history/model.ts';
import { summarise } from '../../src/report/summary.ts';
import { readResults } from '../../src/results/reader.ts';
import { cellKey } from '../../src/schema/cell.ts';
import { type Night, SLOWER, writeNight, writeNights } from './nights.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ortbench-history-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const linesOf = (history: History, engine: string): Line[] =>
  history.lines.filter(({ cell }) => cell.engine === engine);
const onlyLine = (history: History): Line =>
  history.lines.find(
    ({ cell, phase }) => cell.engine === 'new' && phase === 'decode' && cell.promptLength.length === 32,
  )!;
const quick = (count: number, night: (day: number) => Partial<Night> = () => ({})): Night[] =>
  Array.from({ length: count }, (_, day) => ({
    day,
    ...night(day),
    options: { promptLengths: [32], ...night(day).options },
  }));

describe('changes', () => {
  it('finds when a cell became slower, by how much, and which version changed beside it', async () => {
    writeNights(dir, SLOWER);
    const history = await readHistory([dir]);
    expect(history.runs).toHaveLength(24);
    expect(history.machines).toHaveLength(1);
    expect(history.warnings).toEqual([]);
    // Two engines, two prompts, two phases.
    expect(history.lines).toHaveLength(8);
    for (const line of linesOf(history, 'steady')) expect(line.changes).toEqual([]);
    for (const line of linesOf(history, 'new')) {
      expect(line.changes).toHaveLength(1);
      const [change] = line.changes;
      expect(change).toMatchObject({
        point: 16,
        before: { run: 'night-015', at: '2026-01-16T02:17:00.000Z' },
        after: { run: 'night-016', at: '2026-01-17T02:17:00.000Z' },
        beside: [{ fact: 'version library', from: '1.30.0', to: '1.31.0', offset: 0 }],
      });
      expect(change!.ratio).toBeCloseTo(0.92, 2);
      expect(change!.p).toBeLessThanOrEqual(0.01);
      expect(line.segments.map(({ first, last }) => [first, last])).toEqual([
        [0, 15],
        [16, 23],
      ]);
      expect(line.segments[1]!.level).toBe(change!.to);
    }
  });

  it('is the same whatever the order of the folders, and leaves smaller changes out on demand', async () => {
    writeNights(dir, SLOWER);
    const folders = readdirSync(dir).map((name) => join(dir, name));
    const once = await readHistory([dir]);
    const again = await readHistory(folders.reverse());
    const bare = ({ runs, lines }: History) => JSON.stringify([runs.map(({ id }) => id), lines]);
    const sorted = (history: History) => ({
      ...history,
      lines: [...history.lines].sort((a, b) =>
        cellKey(a.cell) + a.phase < cellKey(b.cell) + b.phase ? -1 : 1,
      ),
    });
    expect(bare(sorted(again))).toBe(bare(sorted(once)));
    const coarse = await readHistory([dir], 0.1);
    expect(coarse.lines.flatMap(({ changes }) => changes)).toEqual([]);
    expect(coarse.lines.every(({ segments }) => segments.length === 1)).toBe(true);
  });

  it('names what changed a run or two beside the change, with how far away', async () => {
    writeNights(
      dir,
      quick(24, (day) => ({
        speed: day < 16 ? 1 : 0.9,
        manifest: (manifest) => ({
          ...manifest,
          environment: {
            ...manifest.environment,
            kernel: day < 15 ? '6.1' : '6.2',
            node: day < 12 ? 'v20.1' : 'v20.2',
          },
        }),
      })),
    );
    const [change] = onlyLine(await readHistory([dir])).changes;
    expect(change!.point).toBe(16);
    expect(change!.beside).toEqual([{ fact: 'kernel', from: '6.1', to: '6.2', offset: -1 }]);
  });
});

describe('what is never in one line', () => {
  it('two machines', async () => {
    writeNights(
      dir,
      quick(24, (day) => ({
        manifest: (manifest) =>
          day < 12
            ? manifest
            : { ...manifest, environment: { ...manifest.environment, cpuModel: 'Another' } },
        speed: day < 12 ? 1 : 0.5,
      })),
    );
    const history = await readHistory([dir]);
    expect(history.machines.map(({ title }) => title)).toEqual([
      expect.stringContaining('Another'),
      expect.anything(),
    ]);
    expect(history.lines.map(({ points }) => points.length)).toEqual(new Array(8).fill(12));
    expect(history.lines.flatMap(({ changes }) => changes)).toEqual([]);
  });

  it('two numbers of threads, and two models under one name', async () => {
    writeNights(
      dir,
      quick(9, (day) => ({
        manifest: (manifest) => ({
          ...manifest,
          threads: day < 3 ? 1 : 2,
          models: manifest.models.map((model) => (day < 6 ? model : { ...model, layers: 99 })),
        }),
      })),
    );
    const { lines } = await readHistory([dir]);
    expect(lines).toHaveLength(12);
    expect(lines.every(({ points }) => points.length === 3)).toBe(true);
  });

  it('what an update changes is one machine still', async () => {
    writeNights(
      dir,
      quick(4, (day) => ({
        manifest: (manifest) => ({
          ...manifest,
          environment: {
            ...manifest.environment,
            os: `os ${day}`,
            node: `v20.${day}`,
            memoryMiB: manifest.environment.memoryMiB + day,
            gpu: `NVIDIA H200, 55${day}.1`,
          },
        }),
      })),
    );
    expect((await readHistory([dir])).machines).toHaveLength(1);
  });
});

describe('reading', () => {
  it('judges every cell as a report does: rates, intervals, statuses and flags', async () => {
    writeNight(join(dir, 'a'), {
      day: 1,
      options: {
        batchSizes: [1, 4],
        noise: 0.3,
        fault: (cell) =>
          cell.batchSize === 4 && cell.engine === 'new' ? { status: 'failed', reason: 'no luck' } : null,
      },
    });
    const history = await readHistory([dir]);
    const report = summarise(await readResults(join(dir, 'a')));
    const ok = report.rows.filter(({ status }) => status === 'ok');
    expect(history.lines).toHaveLength(2 * ok.length);
    for (const line of history.lines) {
      const row = ok.find(({ cell }) => cellKey(cell) === cellKey(line.cell))!;
      const rate = line.phase === 'decode' ? 'generationTokensPerSecond' : 'promptTokensPerSecond';
      expect(line.points[0]).toMatchObject({
        rate: row.measured!.rates[rate],
        interval: row.measured!.intervals[line.phase],
        flags: [...new Set(row.flags.map(({ name }) => name))],
      });
    }
  });

  it('a night without a figure is a gap with its reason, and no change', async () => {
    writeNights(
      dir,
      quick(14, (day) => ({
        options: {
          fault: (cell) =>
            day === 7 && cell.engine === 'new' ? { status: 'oom', reason: 'too large' } : null,
        },
      })),
    );
    const line = onlyLine(await readHistory([dir]));
    expect(line.points[7]).toMatchObject({ rate: null, status: 'oom', reason: 'too large' });
    expect(line.changes).toEqual([]);
  });

  it('a run that was killed in the middle still counts for the cells that it finished', async () => {
    writeNight(join(dir, 'a'), {
      day: 0,
      options: {
        interrupted: true,
        fault: ({ engine }) => (engine === 'new' ? { status: 'unfinished' } : null),
      },
    });
    appendFileSync(join(dir, 'a', 'records.jsonl'), '{"kind":"sam');
    const history = await readHistory([dir]);
    expect(new Set(history.lines.map(({ cell }) => cell.engine))).toEqual(new Set(['steady']));
    expect(history.warnings[0]).toMatch(/dropped: it is cut off/);
  });

  it('parity that a resumed run found broken takes the figures of finished cells away', async () => {
    writeNight(join(dir, 'a'), {
      day: 0,
      records: (records) => {
        const parity = records.find((record) => record.kind === 'parity' && record.engine === 'new');
        return [
          ...records,
          { ...(parity as Extract<typeof parity, { kind: 'parity' }>), verdict: 'mismatch' as const },
        ];
      },
    });
    const history = await readHistory([dir]);
    const report = summarise(await readResults(join(dir, 'a')));
    expect(report.rows.find(({ cell }) => cell.engine === 'new')!.status).toBe('mismatch');
    expect(new Set(history.lines.map(({ cell }) => cell.engine))).toEqual(new Set(['steady']));
  });

  it('takes the first stage of a gate, not the pilot nor the second stage', async () => {
    for (const day of [0, 1]) {
      const night = join(dir, `night-${day}`);
      for (const [i, stage] of ['pilot', 'stage1', 'stage2'].entries())
        writeNight(join(night, stage), { day: 10 * day + i });
      writeFileSync(join(night, 'gate.json'), '{}');
    }
    const { runs } = await readHistory([dir]);
    expect(runs.map(({ folder }) => folder)).toEqual([
      join(dir, 'night-0/stage1'),
      join(dir, 'night-1/stage1'),
    ]);
  });

  it('joins the turns of a gate of two configs to one point a side', async () => {
    for (const pair of [0, 1, 2, 3, 4, 5]) {
      const options = { rounds: 1, promptLengths: [32] };
      const name = join(dir, 'stage1', `00${pair}`);
      writeNight(`${name}-baseline`, { day: 2 * pair, speed: 1, options });
      writeNight(`${name}-candidate`, { day: 2 * pair + 1, speed: 1.5, options });
    }
    const history = await readHistory([dir]);
    expect(history.runs.map(({ side }) => side)).toEqual(['baseline', null]);
    const rate = (side: 'baseline' | null) =>
      history.lines.find(
        (line) => line.side === side && line.cell.engine === 'new' && line.phase === 'decode',
      )!.points;
    expect(rate(null)).toHaveLength(1);
    expect(rate(null)[0]!.interval).not.toBeNull();
    expect(rate(null)[0]!.rate! / rate('baseline')[0]!.rate!).toBeCloseTo(1.5, 1);
  });

  it('counts a run once that was named twice or copied', async () => {
    writeNight(join(dir, 'a'), { day: 0 });
    expect((await readHistory([dir, join(dir, 'a')])).runs).toHaveLength(1);
    cpSync(join(dir, 'a'), join(dir, 'b'), { recursive: true });
    const history = await readHistory([dir]);
    expect(history.runs).toHaveLength(1);
    expect(history.warnings[0]).toContain('is a copy of');
  });

  it('says what is wrong with a path', async () => {
    await expect(readHistory([join(dir, 'nowhere')])).rejects.toThrow(/nowhere cannot be read/);
    mkdirSync(join(dir, 'empty'));
    await expect(readHistory([join(dir, 'empty')])).rejects.toThrow(/holds no results/);
    writeNight(join(dir, 'a'), { day: 0 });
    const records = join(dir, 'a', 'records.jsonl');
    renameSync(records, `${records}.whole`);
    writeFileSync(records, readFileSync(`${records}.whole`, 'utf8').replace('"round":1', '"round":7'));
    await expect(readHistory([dir])).rejects.toThrow(/records.jsonl:\d+ is damaged/);
  });
});
