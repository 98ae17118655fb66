import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { readResults } from '../../src/results/reader.ts';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'ortbench-published-'));
afterAll(() => rmSync(dir, { recursive: true }));

const ortbench = (...args: string[]) =>
  promisify(execFile)(process.execPath, [cli, ...args], {
    cwd: dir,
    env: { ...process.env, CI: '1', NO_COLOR: '1' },
  });

const PUBLISHED = {
  source: { title: 'A blog', date: '2024-02-26' },
  systems: [
    {
      model: 'llama-nano',
      device: 'cuda',
      hardware: '1 × A100',
      versions: 'onnxruntime-gpu 1.17.0',
      generate: 256,
      claims: [
        {
          phase: 'decode',
          engine: 'onnxruntime',
          precision: 'int4',
          baseline: { title: 'llama.cpp', engines: ['llamacpp'], precision: null },
          average: 3.9,
          upTo: { speedup: 13.42, batchSize: 16, promptLength: 2048 },
        },
      ],
    },
  ],
};

// Real engines on a machine that others use: a cell that it holds up for seconds may be refuted once, not three times.
it('a cut model is measured beside what was published of the whole, and every output says both', {
  timeout: 180_000,
  retry: 2,
}, async () => {
  rmSync(join(dir, 'run'), { recursive: true, force: true });
  writeFileSync(join(dir, 'published.yaml'), stringify(PUBLISHED));
  writeFileSync(
    join(dir, 'nano.yaml'),
    stringify({
      title: 'Nano as in a blog',
      models: ['llama-nano'],
      engines: ['onnxruntime', 'llamacpp'],
      precisions: ['int4'],
      batchSizes: [1],
      promptLengths: [8],
      generate: 8,
      repetitions: 2,
      warmup: { runs: 1, seconds: 0 },
      minTimedSeconds: 0,
      measureMemory: false,
      baselines: [{ engine: 'llamacpp' }],
      published: 'published.yaml',
    }),
  );
  await ortbench('sweep', 'nano.yaml', '--layers', '1', '--out', 'run', '--json');

  const { manifest, records } = await readResults(join(dir, 'run'));
  expect(manifest.models[0]).toMatchObject({
    name: 'llama-nano-1of2layers',
    uncutName: 'llama-nano',
    layers: 1,
    ofLayers: 2,
  });
  expect(manifest.models[0]!.title).toContain(', 1 of 2 layers');
  for (const record of records) {
    if ('cell' in record) expect(record.cell.model).toBe('llama-nano-1of2layers');
    if ('model' in record) expect(record.model).toBe('llama-nano-1of2layers');
  }

  const read = (file: string) => readFileSync(join(dir, 'run', 'report', file), 'utf8');
  const headline = read('headline.md');
  expect(headline).toContain('up to 13.42× (batch 16, prompt 2048)');
  // Whatever the speeds of this machine are: thousands have commas.
  expect(headline).toMatch(
    /measured here[\s\S]*ONNX Runtime int4 against llama\.cpp int4: [\d.,]+× in 1 of 1 cell \(/,
  );
  for (const difference of [
    'there', // hardware
    'weights: random here',
    'layers: 1 of 2 here, all there',
    'grid: batch 16, prompt 2048 not measured here',
    'tokens generated: 8 here, 256 there',
    'onnxruntime-gpu 1.17.0 there',
  ])
    expect(headline).toContain(difference);
  for (const file of ['summary.csv', 'speedups.csv', 'averages.csv', 'samples.csv'])
    for (const line of read(file).trim().split('\n').slice(1))
      expect(line).toMatch(/^llama-nano-1of2layers,.*,1 of 2,/);

  // The cut stands in every title: of the page, of the Markdown, of every section and chart.
  expect(headline).toMatch(/^# Nano as in a blog, 1 of 2 layers\n/);
  for (const [title] of headline.matchAll(/(?<=^!\[)[^\]]*/gm)) expect(title).toContain('1 of 2 layers');
  const page = read('report.html');
  expect(page).toContain('<title>Nano as in a blog, 1 of 2 layers</title>');
  expect(page).toContain('<h1>Nano as in a blog, 1 of 2 layers</h1>');
  const data = JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)![1]!);
  expect(data.figures.length).toBeGreaterThan(2);
  for (const { title } of data.figures) expect(title).toContain('1 of 2 layers');
  const pictures = readdirSync(join(dir, 'run', 'report', 'charts')).filter((file) => file.endsWith('.svg'));
  expect(pictures.length).toBeGreaterThan(2);
  // Letters are outlines in the pictures, and the same figures name both.
  expect(headline.match(/^!\[.*?1 of 2 layers.*?\]\(charts\//gm)).toHaveLength(pictures.length);

  const { stdout } = await ortbench('report', 'run');
  expect(stdout).toContain('Published: A blog, 2024-02-26');
  expect(stdout).toContain('layers: 1 of 2 here, all there');
});
