import { expect, test } from 'vitest';
import { CHARTS } from '../../src/report/charts/index.ts';
import { importedCsv, speedupsCsv, summaryCsv } from '../../src/report/csv.ts';
import { gather } from '../../src/report/gather.ts';
import { headlineMarkdown } from '../../src/report/headline.ts';
import type { ReportInput } from '../../src/report/model.ts';
import { type ImportedRecord, importedRecordSchema } from '../../src/schema/imported.ts';
import { manifestSchema } from '../../src/schema/manifest.ts';
import { type FixtureOptions, makeInput } from './fixtures.ts';

const ours = (options: FixtureOptions = {}) =>
  makeInput({ precisions: ['fp32'], batchSizes: [1, 2], promptLengths: [16], generate: 9, ...options });

type Change = Partial<Omit<ImportedRecord, 'cell'>> & { cell?: Partial<ImportedRecord['cell']> };

const figure = (change: Change): ImportedRecord => ({
  kind: 'imported',
  definition: 'llama-batched-bench-tg',
  tokensPerSecond: 1000,
  tokens: 16,
  ns: [16e6],
  tool: 'llama-batched-bench',
  toolVersion: null,
  modelSaid: 'x.gguf',
  threads: 2,
  settings: {},
  source: { file: 'x.jsonl', line: 1, sha256: 'a'.repeat(64) },
  ...change,
  cell: {
    model: 'llama-tiny',
    engine: 'llama-batched-bench tg8',
    precision: 'fp32',
    device: 'cpu',
    batchSize: 2,
    promptLength: { length: 16, spread: 0 },
    generate: 9,
    ...change.cell,
  },
});

function imported(records: readonly ImportedRecord[], machine = {}): ReportInput {
  const { manifest } = ours();
  return {
    manifest: manifestSchema.parse({
      ...manifest,
      runId: 'import-1',
      environment: { ...manifest.environment, ...machine },
      engines: records.map(({ cell, tool }) => ({
        name: cell.engine,
        engine: tool,
        title: `${cell.engine} (imported)`,
        options: {},
      })),
      cells: [],
      baselines: [],
      parity: false,
      imported: true,
    }),
    records: records.map((record) => importedRecordSchema.parse(record)),
    interrupted: false,
  };
}

const compared = (record: ImportedRecord, input = ours(), machine = {}) =>
  gather([input, imported([record], machine)]).imported;

test('a figure is drawn hatched beside ours, with what it counts, and stands in no table of ours', () => {
  const report = gather([ours(), imported([figure({})])]);
  const [prompt, generation] = CHARTS.throughput!.figures(report);
  expect(prompt!.series.some(({ imported: foreign }) => foreign)).toBe(false);
  const series = generation!.series.find(({ imported: foreign }) => foreign)!;
  expect(series.name).toBe('llama-batched-bench tg8 (imported)');
  expect(series.marks).toEqual([
    { kind: 'gap', letter: '·' },
    expect.objectContaining({ kind: 'bar', value: 1000, hatched: true, interval: null }),
  ]);
  expect(generation!.notes.join('\n')).toContain(
    'Imported from llama-batched-bench, tokens per second: forwards of one token',
  );
  expect(generation!.subtitle).toContain('imported figures: each by the count of its tool');
  expect([...speedupsCsv(report)].join('')).not.toContain('batched');
  const row = [...summaryCsv(report)]
    .join('')
    .split('\n')
    .find((line) => line.includes('batched'))!;
  expect(row).toMatch(
    /^llama-tiny,llama-batched-bench tg8,fp32,cpu,2,16,9,imported,printed by llama-batched-bench: [^,]*,,,,,,/,
  );
});

test('ours are counted as the tool counts before anything is divided', () => {
  const rates = gather([ours()]).rows.filter(({ cell }) => cell.batchSize === 2);
  const llama = rates.find(({ cell }) => cell.engine === 'llamacpp')!.measured!.rates;
  const of = (record: ImportedRecord) => compared(record).find(({ engine }) => engine === 'llamacpp')!;

  const tg = of(figure({}));
  expect(tg.ours).toBeCloseTo(llama.generationTokensPerSecond, 6);
  expect(tg.ratio).toBeCloseTo(llama.generationTokensPerSecond / 1000, 6);
  // The batch twice: so is ours, and the ratio is that of the times.
  const twice = of(figure({ definition: 'genai-e2e-prompt-twice', cell: { generate: 0 } }));
  expect(twice.ours).toBeCloseTo(2 * llama.promptTokensPerSecond, 6);
  // Selection counts in these loops: 20 µs a step in the fixture.
  const loop = of(figure({ definition: 'optimum-decode' }));
  const stepNs = 2e9 / llama.generationTokensPerSecond;
  expect(loop.ours! / (2e9 / (stepNs + 2e4))).toBeCloseTo(1, 2);
  const median = of(figure({ definition: 'genai-e2e-generation-median' }));
  expect(median.ours! / loop.ours!).toBeCloseTo(1, 1);
  const both = of(figure({ definition: 'llama-bench-pg' }));
  expect(both.ours).toBeGreaterThan(Math.min(llama.promptTokensPerSecond, llama.generationTokensPerSecond));
  expect(both.ours).toBeLessThan(Math.max(llama.promptTokensPerSecond, llama.generationTokensPerSecond));
  expect(of(figure({ definition: 'optimum-prefill-generate', cell: { generate: 0 } })).ours).toBeLessThan(
    llama.promptTokensPerSecond,
  );
});

test.each<[string, Change, RegExp]>([
  ['another model', { cell: { model: 'other' } }, /nothing was measured of other in fp32 on cpu/],
  ['another precision', { cell: { precision: 'int4' } }, /nothing was measured of llama-tiny in int4/],
  [
    'another length',
    { cell: { generate: 129 } },
    /no measured cell has its work: batch 2, prompt 16, 128 decode steps/,
  ],
  [
    'an empty context',
    { cell: { promptLength: { length: 0, spread: 0 } } },
    /batch 2, prompt 0, 8 decode steps/,
  ],
  ['more threads', { threads: 8 }, /^8 threads against our 2$/],
  ['unknown threads', { threads: null }, /does not say how many threads/],
  [
    'another count',
    { definition: 'llama-batched-bench-shared-pp', cell: { generate: 0 } },
    /^not like for like: /,
  ],
  [
    'a prompt behind another',
    { definition: 'llama-bench-pp', settings: { n_depth: 16 }, cell: { generate: 0 } },
    /prompt 16 behind 16 tokens/,
  ],
])('no ratio for %s', (_name, change, reason) => {
  for (const row of compared(figure(change))) {
    expect(row.ratio).toBeNull();
    expect(row.reason).toMatch(reason);
  }
});

test('no ratio across machines, and the bar stands in its own group', () => {
  const machine = { cpuModel: 'AMD EPYC 9R14', physicalCores: 0, memoryMiB: 0 };
  const rows = compared(figure({}), ours(), machine);
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({
    ratio: null,
    ours: null,
    reason: 'nothing was measured on the same machine',
  });
  const report = gather([ours(), imported([figure({})], machine)]);
  const generation = CHARTS.throughput!.figures(report)[1]!;
  expect(generation.categories.map(({ group }) => group)).toEqual([
    'Intel Xeon Platinum 8488C, 2 cores: batch 1',
    'Intel Xeon Platinum 8488C, 2 cores: batch 2',
    'AMD EPYC 9R14: batch 2',
  ]);
});

test('no ratio with a cell that does not compute the same', () => {
  const rows = compared(
    figure({}),
    ours({ verdict: ({ engine }) => (engine === 'llamacpp' ? 'mismatch' : 'match') }),
  );
  expect(rows.find(({ engine }) => engine === 'llamacpp')).toMatchObject({ ratio: null });
  expect(rows.find(({ engine }) => engine === 'llamacpp')!.reason).toMatch(/^our cell is mismatch/);
  expect(rows.find(({ engine }) => engine === 'onnxruntime')!.ratio).not.toBeNull();
});

test('imported figures alone make a report', () => {
  const report = gather([imported([figure({})])]);
  const markdown = headlineMarkdown(report);
  expect(markdown).toContain('## Imported from other tools');
  expect(markdown).not.toContain('Parity was not checked:');
  expect(markdown).not.toContain('no baseline');
  const [chart] = CHARTS.throughput!.figures(report);
  expect(chart!.subtitle).not.toContain('first');
  const lines = [...importedCsv(report)].join('').trim().split('\n');
  expect(lines).toHaveLength(2);
  expect(lines[1]).toContain('forwards of one token for every sequence');
});
