import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CHARTS } from '../../src/report/charts/index.ts';
import type { ReportInput } from '../../src/report/model.ts';
import { summarise } from '../../src/report/summary.ts';
import { writeReport } from '../../src/report/write.ts';
import { HOSTILE, makeInput } from './fixtures.ts';

let folder: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'ortbench-report-'));
});
afterEach(() => fs.rm(folder, { recursive: true, force: true }));

async function write(input: ReportInput, name = 'report', options: Parameters<typeof writeReport>[2] = {}) {
  const { files } = await writeReport(input, join(folder, name), options);
  return Promise.all(files.map(async (file) => [file, await fs.readFile(join(folder, name, file))] as const));
}

test('the same records give the same bytes, every file of them', async () => {
  const input = makeInput({
    generate: 8,
    noise: 0.1,
    baselines: [{ engine: 'pytorch-eager', precision: 'fp32' }],
  });
  const first = await write(input, 'first');
  const second = await write(structuredClone(input), 'second');
  expect(first.map(([file]) => file)).toEqual(second.map(([file]) => file));
  expect(first.length).toBe(4 + 2 * (4 + 4) + 2);
  for (const [i, [file, bytes]] of first.entries()) {
    expect(bytes.equals(second[i]![1]), file).toBe(true);
  }
});

test('without the parity check, every file says so', async () => {
  const input = makeInput({ generate: 4, rounds: 1, parity: false });
  const files = await write(input);
  expect(files.length).toBeGreaterThan(8);
  for (const [file, bytes] of files) {
    if (file.endsWith('.csv')) {
      const [head, ...lines] = bytes.toString().trim().split('\n');
      expect(head!.split(',')).toContain('parity');
      for (const line of lines) expect(line.includes('unchecked'), `${file}: ${line}`).toBe(true);
    } else if (file.endsWith('.md')) expect(bytes.toString()).toContain('Parity was not checked');
    // report.json lists the report's own files, no figure.
    else expect(file).toMatch(/\.(png|svg)$|^report\.json$/);
  }
  // Charts carry their text as outlines: what is drawn under each is in its description.
  const figures = Object.values(CHARTS).flatMap((chart) => chart.figures(summarise(input)));
  expect(figures.length).toBeGreaterThan(3);
  for (const { notes, title } of figures) expect(notes.join(' '), title).toContain('PARITY NOT CHECKED');
});

test('the headline links to charts that are there', async () => {
  const files = new Map(await write(makeInput({ generate: 4, rounds: 1 })));
  const links = [
    ...files
      .get('headline.md')!
      .toString()
      .matchAll(/!\[[^\]]*\]\(([^)]+)\)/g),
  ].map(([, file]) => file!);
  expect(links).toHaveLength(8);
  for (const link of links) expect([...files.keys()]).toContain(link);
});

test('formats: only what was asked for', async () => {
  const input = makeInput({ generate: 4, rounds: 1 });
  const names = async (formats: NonNullable<Parameters<typeof writeReport>[2]>['formats']) =>
    (await write(input, 'report', formats ? { formats } : {})).map(([file]) => file);
  expect(await names(['csv'])).toEqual([
    'summary.csv',
    'speedups.csv',
    'averages.csv',
    'samples.csv',
    'report.json',
  ]);
  expect(await names(['svg'])).toSatisfy((files: string[]) =>
    files.slice(0, -1).every((file) => file.endsWith('.svg')),
  );
  // What the earlier report had and this one has not is gone.
  expect(await fs.readdir(join(folder, 'report'))).toEqual(['charts', 'report.json']);
});

test('no valid cell: no chart, and a sentence', async () => {
  const files = await write(makeInput({ fault: () => ({ status: 'failed', reason: 'scripted' }) }));
  expect(files.map(([file]) => file)).toEqual([
    'summary.csv',
    'speedups.csv',
    'averages.csv',
    'samples.csv',
    'headline.md',
    'report.json',
  ]);
  expect(new Map(files).get('headline.md')!.toString()).toContain('there is no chart');
});

test('hostile names: files stay in the folder, under plain names', async () => {
  const models = HOSTILE.map((name) => ({ name, title: name }));
  const input = makeInput({
    models,
    precisions: ['fp32'],
    batchSizes: [1],
    promptLengths: [8],
    generate: 2,
    rounds: 1,
  });
  const files = await write(input, 'report', { formats: ['svg', 'markdown'] });
  for (const [file] of files) expect(file).toMatch(/^(charts\/)?[a-z0-9][a-z0-9._-]*$/);
  expect(files).toHaveLength(HOSTILE.length * 4 + 2);
  expect(await fs.readdir(folder)).toEqual(['report']);
});
