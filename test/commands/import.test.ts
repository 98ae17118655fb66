import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { type ImportOptions, runImport } from '../../src/commands/import.ts';
import { runReport } from '../../src/commands/report.ts';
import { readResults } from '../../src/results/reader.ts';
import { ResultsStore } from '../../src/results/store.ts';
import type { ImportedRecord } from '../../src/schema/imported.ts';
import { makeRun } from '../report/fixtures.ts';
import { capture } from './capture.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/imports/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ortbench-import-'));
afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;
async function imported(files: readonly string[], options: ImportOptions = {}) {
  const out = join(folder, `import-${count++}`);
  const { code } = await capture(() => runImport(files.map(fixture), { out, json: true, ...options }));
  expect(code).toBe(0);
  const { manifest, records } = await readResults(out);
  const figures = records.filter((record): record is ImportedRecord => record.kind === 'imported');
  return { out, manifest, figures };
}

/** Results of ours with the processor that the fixtures name. */
async function ours(): Promise<string> {
  const dir = join(folder, `ours-${count++}`);
  const { manifest, records } = makeRun({
    models: [{ name: 'llama-nano', title: 'Llama nano' }],
    precisions: ['fp32'],
    promptLengths: [16],
    batchSizes: [1, 2],
    generate: 9,
    rounds: 2,
  });
  const environment = { ...manifest.environment, cpuModel: 'AMD EPYC' };
  const store = await ResultsStore.create(dir, { ...manifest, environment });
  for (const record of records) await store.append(record);
  await store.close();
  return dir;
}

describe('what stands for what', () => {
  it('llama-bench says nearly all of it', async () => {
    const { manifest, figures } = await imported(['llama-bench.jsonl'], { model: ['llama-nano'] });
    expect(manifest).toMatchObject({ imported: true, parity: false, cells: [], threads: 2 });
    expect(manifest.environment).toMatchObject({ cpuModel: 'AMD EPYC', physicalCores: 0, memoryMiB: 0 });
    expect(manifest.models).toMatchObject([{ name: 'llama-nano', parameters: 426_624 }]);
    expect(figures).toHaveLength(8);
    for (const { cell, modelSaid } of figures) {
      expect(cell).toMatchObject({ model: 'llama-nano', precision: 'fp32', device: 'cpu', batchSize: 1 });
      expect(modelSaid).toBe('llama-nano-f32.gguf, llama ?B all F32');
    }
    expect(JSON.stringify([manifest, figures])).not.toContain(fileURLToPath(new URL('..', import.meta.url)));
  });

  it('a name for one of several models', async () => {
    const rows = readFileSync(fixture('llama-bench.jsonl'), 'utf8').trim().split('\n');
    const other = join(folder, 'other.jsonl');
    writeFileSync(
      other,
      rows[0]!.replace('llama-nano-f32.gguf', 'other.gguf').replace('all F32', 'Q4_K - Medium'),
    );
    const out = join(folder, 'two-models');
    const options = { out, json: true, model: ['llama-nano-f32.gguf=llama-nano', 'other.gguf=another'] };
    await expect(capture(() => runImport([fixture('llama-bench.jsonl'), other], options))).rejects.toThrow(
      /other\.jsonl:1: llama-bench ran "llama \?B Q4_K - Medium" weights, which are none of fp32/,
    );
    await capture(() =>
      runImport([fixture('llama-bench.jsonl'), other], {
        ...options,
        precision: ['llama ?B Q4_K - Medium=int4'],
      }),
    );
    const { records } = await readResults(out);
    const cells = records.flatMap((record) =>
      record.kind === 'imported' ? [`${record.cell.model} ${record.cell.precision}`] : [],
    );
    expect(new Set(cells)).toEqual(new Set(['llama-nano fp32', 'another int4']));
  });

  it.each<[string, ImportOptions, string]>([
    ['no model', {}, 'does not say which model it ran'],
    ['no precision', { model: ['x'] }, 'does not say how its weights are stored'],
    ['no device', { model: ['x'], precision: ['fp32'] }, 'does not say on which of cpu, cuda, webgpu it ran'],
    ['a wrong precision', { model: ['x'], precision: ['fp31'] }, '--precision fp31: expected one of fp32'],
    [
      'a wrong device',
      { model: ['x'], precision: ['fp32'], device: 'gpu' },
      '--device gpu: expected one of cpu',
    ],
    [
      'two machines',
      { model: ['x'], precision: ['fp32'], device: 'cpu', beside: 'OURS', here: true },
      'give one of them',
    ],
    [
      'no results',
      { model: ['x'], precision: ['fp32'], device: 'cpu', beside: '/nowhere' },
      '/nowhere is not a results folder',
    ],
  ])('llama-batched-bench needs words: %s', async (_name, options, message) => {
    const beside = options.beside === 'OURS' ? { beside: await ours() } : {};
    await expect(imported(['llama-batched-bench.jsonl'], { ...options, ...beside })).rejects.toThrow(message);
  });

  it('another machine than the one named is refused', async () => {
    const dir = await ours();
    const manifest = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8'));
    manifest.environment.cpuModel = 'Intel Xeon';
    writeFileSync(join(dir, 'manifest.json'), JSON.stringify(manifest));
    await expect(imported(['llama-bench.jsonl'], { beside: dir })).rejects.toThrow(
      /llama-bench\.jsonl:\d+: the tool ran on AMD EPYC, .* is Intel Xeon/,
    );
  });

  it('figures of one place are told apart by what differs', async () => {
    const row = JSON.parse(readFileSync(fixture('llama-bench.jsonl'), 'utf8').split('\n')[0]!);
    const path = join(folder, 'threads.jsonl');
    writeFileSync(
      path,
      [row, { ...row, n_threads: 1 }, { ...row, n_threads: 1 }]
        .map((each) => JSON.stringify(each))
        .join('\n'),
    );
    const out = join(folder, 'threads');
    await capture(() => runImport([path], { out, json: true, model: ['llama-nano'] }));
    const { manifest } = await readResults(out);
    expect(manifest.engines.map(({ title }) => title)).toEqual([
      'llama-bench pp threads=2 (imported)',
      'llama-bench pp threads=1 (imported)',
      'llama-bench pp threads=1 #2 (imported)',
    ]);
  });
});

it('a report of ours and of theirs', async () => {
  const dir = await ours();
  const said = { model: ['llama-nano'], precision: ['fp32'], device: 'cpu', beside: dir };
  const { out } = await imported(
    ['llama-batched-bench.jsonl', 'llama-bench.jsonl', 'genai-e2e.json', 'benchmark.json'],
    said,
  );
  const report = join(folder, 'report');
  await capture(() => runReport([dir, out], { out: report, json: true }));
  const csv = readFileSync(join(report, 'imported.csv'), 'utf8').trim().split('\n');
  expect(csv.length).toBeGreaterThan(22);
  const divided = csv.filter(
    (line) => line.startsWith('llama-batched-bench,') && line.includes(',llamacpp,'),
  );
  expect(divided).toHaveLength(4);
  // Ours has 9 tokens; genai and optimum-benchmark generated 8.
  expect(csv.find((line) => line.includes('optimum-decode'))).toContain('no measured cell has its work');
  expect(readFileSync(join(report, 'headline.md'), 'utf8')).toContain('## Imported from other tools');
  expect(readFileSync(join(report, 'speedups.csv'), 'utf8')).not.toMatch(/imported|bench/);
});
