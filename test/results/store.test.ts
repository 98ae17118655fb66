import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { RECORDS_FILE, readRecords, readResults } from '../../src/results/reader.ts';
import { checkSameSession, explainDifference, finishedCells } from '../../src/results/resume.ts';
import { ResultsStore } from '../../src/results/store.ts';
import type { RunRecord, SessionRecord } from '../../src/schema/record.ts';
import { sampleSummariser } from '../../src/stats/run-summary.ts';
import { makeRun } from '../report/fixtures.ts';

const { manifest, records } = makeRun();
let dir: string;

beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'ortbench-store-')), 'run');
});

async function storeAll(some: readonly RunRecord[]): Promise<string> {
  const store = await ResultsStore.create(dir, manifest);
  for (const record of some) await store.append(record);
  await store.close();
  return join(dir, RECORDS_FILE);
}

describe('ResultsStore', () => {
  it('gives back what it was given', async () => {
    await storeAll(records);
    const visited: RunRecord[] = [];
    const read = await readRecords(dir, (record) => visited.push(record));
    expect(visited).toEqual(records);
    expect(read.warnings).toEqual([]);
    expect((await readResults(dir)).manifest).toEqual(manifest);
  });

  it('lets one harness in at a time', async () => {
    const first = await ResultsStore.create(dir, manifest);
    await expect(ResultsStore.resume(dir, manifest)).rejects.toThrow(new RegExp(`${process.pid}`));
    await first.close();
    await (await ResultsStore.resume(dir, manifest)).close();
  });

  it('refuses a folder that is not empty', async () => {
    await storeAll([]);
    await expect(ResultsStore.create(dir, manifest)).rejects.toMatchObject({ name: 'UserError' });
  });

  it('drops a torn last line wherever it is torn, and appends after the last good one', async () => {
    const path = await storeAll(records.slice(0, 3));
    const whole = readFileSync(path);
    const lastLine = whole.lastIndexOf(0x0a, whole.length - 2) + 1;
    for (const length of [lastLine + 1, lastLine + 40, whole.length - 1]) {
      writeFileSync(path, whole);
      truncateSync(path, length);
      const store = await ResultsStore.resume(dir, manifest);
      expect(store.earlier).toEqual(records.slice(0, 2));
      expect(store.warnings.join()).toMatch(/records.jsonl:3 dropped/);
      await store.append(records[2]!);
      await store.close();
      expect(readFileSync(path).equals(whole)).toBe(true);
    }
  });

  it('refuses a file that was changed in the middle, with the line', async () => {
    const path = await storeAll(records.slice(0, 4));
    const lines = readFileSync(path, 'utf8').split('\n');
    writeFileSync(path, [lines[0], lines[1]!.replace('e', 'f'), ...lines.slice(2)].join('\n'));
    await expect(readRecords(dir, () => {})).rejects.toMatchObject({
      name: 'InfrastructureError',
      message: expect.stringContaining('records.jsonl:2 is damaged'),
    });
  });

  it('counts only what was measured since a cell was last begun', async () => {
    const sample = records.find((record) => record.kind === 'sample')!;
    const preparation = records.find(
      (record) =>
        record.kind === 'preparation' && JSON.stringify(record.cell) === JSON.stringify(sample.cell),
    )!;
    await storeAll([preparation, sample, preparation, sample]);
    expect((await readResults(dir)).records).toEqual([preparation, sampleSummariser()(sample)]);
  });

  it('calls a run without an end interrupted', async () => {
    await storeAll(records.filter((record) => record.kind !== 'end'));
    expect((await readResults(dir)).interrupted).toBe(true);
  });

  it('says that a folder holds no results', async () => {
    await expect(readResults(tmpdir())).rejects.toMatchObject({ name: 'UserError' });
    await storeAll([]);
    rmSync(join(dir, 'manifest.json'));
    appendFileSync(join(dir, 'manifest.json'), '{"format": 1');
    await expect(readResults(dir)).rejects.toMatchObject({ name: 'InfrastructureError' });
  });
});

describe('resuming', () => {
  it('is refused for another config or machine, naming what changed', () => {
    expect(explainDifference(manifest, manifest)).toBeNull();
    const config = { ...(manifest.config as object), repetitions: 99 };
    expect(explainDifference(manifest, { ...manifest, config, configSha256: 'x' })).toMatch(/repetitions/);
    const environment = { ...manifest.environment, cpuModel: 'Another CPU' };
    expect(explainDifference(manifest, { ...manifest, environment })).toMatch(
      /cpuModel was .* is Another CPU/,
    );
  });

  it('is refused when an engine or a model file changed', () => {
    const session = records.find((record): record is SessionRecord => record.kind === 'session')!;
    expect(() => checkSameSession(records, session)).not.toThrow();
    const newer = { ...session, versions: { ...session.versions, extra: '2' } };
    expect(() => checkSameSession(records, newer)).toThrow(/extra was absent and is 2/);
    expect(() => checkSameSession(records, { ...session, artefact: 'other' })).toThrow(/model file/);
    const chain = { ...session.chain!, checkpoint: 'other' };
    expect(() => checkSameSession(records, { ...session, chain })).toThrow(/another checkpoint/);
    // An earlier version's record does not say; the artefact's hash stands for the chain then.
    const { chain: _, ...old } = session;
    expect(() => checkSameSession([old], session)).not.toThrow();
    expect(() => checkSameSession([{ ...old, artefact: 'other' }], session)).toThrow(/model file/);
  });

  it('repeats cells that were cut short, and no others', () => {
    const outcome = records.find((record) => record.kind === 'outcome')!;
    expect(finishedCells([outcome]).size).toBe(1);
    expect(finishedCells([{ ...outcome, status: 'interrupted', reason: 'x' }]).size).toBe(0);
  });
});
