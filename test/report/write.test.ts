import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CHARTS } from '../../src/report/charts/index.ts';
import type { ReportInput } from '../../src/report/model.ts';
import { summarise } from '../../src/report/summary.ts';
import { writeReport } from '../../src/report/write.ts';
import { HOSTILE, makeInput, makeRun } from './fixtures.ts';

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
  expect(first.length).toBe(4 + 2 * (4 + 4) + 3);
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
    } else if (/\.(md|html)$/.test(file)) expect(bytes.toString()).toContain('Parity was not checked');
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
    'report.html',
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
  const files = await write(input, 'report', { formats: ['svg', 'md'] });
  for (const [file] of files) expect(file).toMatch(/^(charts\/)?[a-z0-9][a-z0-9._-]*$/);
  expect(files).toHaveLength(HOSTILE.length * 4 + 2);
  expect(await fs.readdir(folder)).toEqual(['report']);
});

test('the theme and the title reach pictures, headline and page', async () => {
  const input = makeInput({ generate: 4, rounds: 1, precisions: ['fp32'] });
  const options = { formats: ['png', 'md', 'html'], theme: 'dark', title: 'Our <title>' } as const;
  const dark = new Map(await write(input, 'dark', options));
  const light = new Map(await write(input, 'light', { formats: ['png'] }));
  for (const [file, bytes] of light) {
    if (file.endsWith('.png')) expect(dark.get(file)!.equals(bytes), file).toBe(false);
  }
  const page = dark.get('report.html')!.toString();
  expect(page).toContain('<html lang="en" data-theme="dark">');
  expect(page).toContain('<title>Our &lt;title&gt;</title>');
  expect(dark.get('headline.md')!.toString()).toMatch(/^# Our &lt;title&gt;\n/);
});

test('records that are too many for the page lie beside it, whole', async () => {
  const options = {
    generate: 256,
    rounds: 12,
    batchSizes: [1, 2, 4, 8],
    promptLengths: [8, 16, 32, 64, 128],
  };
  const { manifest, records } = makeRun(options);
  // As a results folder hands them over: with all single times.
  const input = {
    manifest,
    interrupted: false,
    records: makeInput(options).records,
    raw: async (visit: (json: string) => void | Promise<void>) => {
      for (const record of records) await visit(JSON.stringify(record));
    },
  };
  const files = new Map(await write(input, 'report', { formats: ['html'] }));
  expect([...files.keys()]).toEqual(['records.jsonl.gz', 'report.html', 'report.json']);
  const lines = gunzipSync(files.get('records.jsonl.gz')!).toString().trimEnd().split('\n');
  expect(lines).toHaveLength(records.length + 1);
  expect(lines.slice(1).map((line) => JSON.parse(line))).toEqual(records);
  const page = files.get('report.html')!.toString();
  expect(page).toContain('href="records.jsonl.gz"');
  expect(page).not.toContain('id="raw"');
});

test('the page names nothing that lies elsewhere, and allows its own scripts alone', async () => {
  const page = new Map(await write(makeInput({ generate: 4, rounds: 1 }), 'report', { formats: ['html'] }))
    .get('report.html')!
    .toString();
  expect(page).toMatch(
    /Content-Security-Policy" content="default-src &#39;none&#39;; script-src &#39;sha256-/,
  );
  const markup = page.replace(/<(script|style)[^>]*>[\s\S]*?<\/\1>/g, '');
  expect(markup).not.toMatch(/https?:|\/\/|\bstyle=|\bon\w+=/);
  expect(page).not.toContain('sourceMappingURL');
  expect(page).not.toContain(process.cwd());
});
