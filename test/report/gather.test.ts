import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHARTS } from '../../src/report/charts/index.ts';
import { speedupsCsv, summaryCsv } from '../../src/report/csv.ts';
import { gather } from '../../src/report/gather.ts';
import { headlineMarkdown } from '../../src/report/headline.ts';
import type { ReportInput } from '../../src/report/model.ts';
import { summarise } from '../../src/report/summary.ts';
import { writeReport } from '../../src/report/write.ts';
import type { Environment, Manifest } from '../../src/schema/manifest.ts';
import { type FixtureOptions, makeInput } from './fixtures.ts';

interface Elsewhere {
  readonly machine?: Partial<Environment>;
  readonly manifest?: Partial<Manifest>;
}

function run(
  runId: string,
  { machine = {}, manifest = {} }: Elsewhere = {},
  options: FixtureOptions = {},
): ReportInput {
  const input = makeInput({ generate: 4, batchSizes: [1, 4], promptLengths: [64], ...options });
  const environment = { ...input.manifest.environment, ...machine };
  return { ...input, manifest: { ...input.manifest, ...manifest, runId, environment } };
}
const EPYC = { cpuModel: 'AMD EPYC 9R14 96-Core Processor', physicalCores: 96, memoryMiB: 500_000 };
const intel = () => run('first');
const epyc = (options: FixtureOptions = {}) => run('second', { machine: EPYC }, { seed: 2, ...options });
const figures = (inputs: readonly ReportInput[]) =>
  Object.values(CHARTS).flatMap((chart) => chart.figures(gather(inputs)));

test('a report of one run is what it was', () => {
  expect(gather([intel()])).toEqual(summarise(intel()));
  expect(gather([intel()], ['laptop']).rows[0]!.run).toMatchObject({ machine: 'laptop', label: null });
});

test('speedups are each run’s own, whatever stands beside it', () => {
  // Ten times as fast: divided across machines, its speedups would be ten times as high, or a tenth.
  const fast = epyc({
    edit: (record) =>
      record.kind === 'sample'
        ? {
            ...record,
            runs: record.runs.map((each) => ({
              ...each,
              prefillNs: each.prefillNs / 10,
              stepNs: each.stepNs.map((ns) => ns / 10),
            })),
          }
        : record,
  });
  const report = gather([intel(), fast]);
  expect(report.runs.map(({ label }) => label)).toEqual([
    'Intel Xeon Platinum 8488C, 2 cores',
    'AMD EPYC 9R14, 96 cores',
  ]);
  const alone = [summarise(intel()), summarise(fast)];
  expect(report.speedups.map(({ speedup }) => speedup)).toEqual(
    alone.flatMap(({ speedups }) => speedups.map(({ speedup }) => speedup)),
  );
  expect(report.averages.map(({ average }) => average)).toEqual(
    alone.flatMap(({ averages }) => averages.map(({ average }) => average)),
  );
  for (const { run, cell, baseline } of report.speedups) {
    expect(run.manifest.cells.some((planned) => planned.cell.engine === baseline.engine)).toBe(true);
    expect(report.rows.some((row) => row.run === run && row.cell === cell)).toBe(true);
  }
});

test('charts group by machine and name both', () => {
  const drawn = figures([intel(), epyc()]);
  expect(drawn).toHaveLength(4 + 4);
  for (const { categories, series, notes } of drawn) {
    expect(categories.map(({ group }) => group)).toEqual([
      'Intel Xeon Platinum 8488C, 2 cores: batch 1',
      'Intel Xeon Platinum 8488C, 2 cores: batch 4',
      'AMD EPYC 9R14, 96 cores: batch 1',
      'AMD EPYC 9R14, 96 cores: batch 4',
    ]);
    // One colour an engine, whichever machine it ran on.
    expect(new Set(series.map(({ name }) => name)).size).toBe(series.length);
    expect(series.every(({ marks }) => marks.every(({ kind }) => kind === 'bar'))).toBe(true);
    const text = notes.join('\n');
    expect(text).toMatch(/^Intel Xeon Platinum 8488C, 2 cores: Intel\(R\) Xeon\(R\) .* run first/m);
    expect(text).toMatch(/^AMD EPYC 9R14, 96 cores: AMD EPYC .* run second/m);
    expect(text).toContain('No figure is divided by one of another run.');
  }
});

test('two runs on one machine are apart too', () => {
  const report = gather([intel(), run('again', {}, { seed: 3 })]);
  expect(report.runs.map(({ machine, label }) => [machine, label])).toEqual([
    ['Intel Xeon Platinum 8488C, 2 cores', 'Intel Xeon Platinum 8488C, 2 cores, run 1'],
    ['Intel Xeon Platinum 8488C, 2 cores', 'Intel Xeon Platinum 8488C, 2 cores, run 2'],
  ]);
  const [chart] = figures([intel(), run('again', {}, { seed: 3 })]);
  expect(chart!.categories.map(({ group }) => group)).toEqual(['batch 1', 'batch 4']);
  expect(chart!.series.map(({ name }) => name)).toEqual(
    ['run 1', 'run 2'].flatMap((number) =>
      ['ONNX Runtime', 'PyTorch eager', 'PyTorch torch.compile', 'llama.cpp'].map(
        (title) => `${title}, ${number}`,
      ),
    ),
  );
  for (const { baseline, engineTitle } of report.speedups)
    expect(baseline.title.endsWith('run 1')).toBe(engineTitle.endsWith('run 1'));
});

test('runs of one machine with models of their own need no numbers behind their engines', () => {
  const other = run('second', {}, { models: [{ name: 'phi-nano', title: 'Phi nano' }] });
  const report = gather([intel(), other]);
  expect(report.manifest.engines).toEqual(intel().manifest.engines);
  expect(report.rows.map(({ engineTitle }) => engineTitle).join()).not.toContain('run');
  const kinds = new Set(figures([intel(), other]).map(({ facets }) => facets.kind));
  expect([...kinds].filter((kind) => kind.includes('PyTorch eager'))).toEqual(['Speedup over PyTorch eager']);
  expect(report.runs.map(({ label }) => label)).toEqual([
    'Intel Xeon Platinum 8488C, 2 cores, run 1',
    'Intel Xeon Platinum 8488C, 2 cores, run 2',
  ]);
});

test('machines that look alike by name are numbered, and may be named by the user', () => {
  const larger = run('second', { machine: { memoryMiB: 64_000 } });
  const labels = (names: string[]) => gather([intel(), larger], names).runs.map(({ machine }) => machine);
  expect(labels([])).toEqual([
    'Intel Xeon Platinum 8488C, 2 cores',
    'Intel Xeon Platinum 8488C, 2 cores (2)',
  ]);
  expect(labels(['laptop', 'server'])).toEqual(['laptop', 'server']);
  expect(labels(['laptop'])).toEqual(['laptop', 'Intel Xeon Platinum 8488C, 2 cores']);
  expect(() => labels(['same', 'same'])).toThrow('two machines that differ are both named "same"');
  expect(() => labels(['a', 'b', 'c'])).toThrow('3 names of machines for 2 runs');
});

test('a GPU names its machine', () => {
  const gpu = run('gpu', { machine: { gpu: 'NVIDIA H200, 570.1; NVIDIA H200, 570.1' } });
  expect(gather([gpu]).runs[0]!.machine).toBe('NVIDIA H200');
});

test('one name for two models is told apart', () => {
  const models = intel().manifest.models.map((model) => ({ ...model, layers: 12, parameters: 9e7 }));
  const report = gather([intel(), run('second', { machine: EPYC, manifest: { models } })]);
  expect(new Set(report.rows.map(({ cell }) => cell.model))).toEqual(
    new Set(['llama-tiny', 'llama-tiny (2)']),
  );
  expect(report.rows.every(({ status }) => status === 'ok')).toBe(true);
  expect(report.unlike[0]).toMatch(
    /^The model llama-tiny of run second is another one .* here it is llama-tiny \(2\)\.$/,
  );
  for (const chart of Object.values(CHARTS))
    for (const { categories } of chart.figures(report))
      expect(new Set(categories.map(({ group }) => group.split(':')[0])).size).toBe(1);
});

test('what is unlike is said', () => {
  const other = run(
    'second',
    {
      machine: { ...EPYC, ortbench: '0.2.0' },
      manifest: {
        threads: 96,
        seed: 7,
        engines: intel().manifest.engines.map((engine) =>
          engine.name === 'llamacpp' ? { ...engine, options: { library: 'native' } } : engine,
        ),
      },
    },
    {
      rounds: 7,
      edit: (record) => {
        if (record.kind === 'preparation') return { ...record, promptsSha256: 'b'.repeat(64) };
        return record.kind === 'session' && record.engine === 'onnxruntime'
          ? { ...record, versions: { onnxruntime: '1.32.0' } }
          : record;
      },
    },
  );
  const { unlike } = gather([intel(), other]);
  const has = (text: string) =>
    expect(
      unlike.some((line) => line.includes(text)),
      text,
    ).toBe(true);
  has('compute threads per engine: 2 (Intel Xeon Platinum 8488C, 2 cores) · 96 (AMD EPYC 9R14, 96 cores)');
  has('Unlike rounds: 6');
  has('Unlike seed');
  has('Unlike ortbench: 0.1.0');
  has('engine or options of llamacpp: llamacpp {} (Intel');
  has('versions of onnxruntime: onnxruntime 1.31.0 (Intel');
  has('Unlike prompts in 2 of 2 shapes');
  expect(unlike.some((line) => line.includes('versions of llamacpp'))).toBe(false);
  expect(headlineMarkdown(gather([intel(), other]))).toContain('## What is unlike between the runs');
  expect(gather([intel(), epyc()]).unlike).toEqual([]);
});

test('every file says the machine', async () => {
  const folder = await fs.mkdtemp(join(tmpdir(), 'ortbench-gather-'));
  try {
    const { files } = await writeReport([intel(), epyc()], folder, { formats: ['csv', 'md'] });
    expect(files).toContain('headline.md');
    for (const file of files.filter((name) => name.endsWith('.csv'))) {
      const lines = (await fs.readFile(join(folder, file), 'utf8')).trim().split('\n');
      expect(lines[0]).toMatch(/,machine,run_id$/);
      for (const line of lines.slice(1))
        expect(line).toMatch(/(8488C, 2 cores",first|9R14, 96 cores",second)$/);
    }
    const headline = await fs.readFile(join(folder, 'headline.md'), 'utf8');
    expect(headline).toContain('2 runs on 2 machines');
    for (const line of headline.split('\n').filter((text) => text.startsWith('- **')))
      expect(line).toMatch(/^- \*\*(Intel Xeon|AMD EPYC)/);
    expect(headline).not.toContain('- Hardware:');
  } finally {
    await fs.rm(folder, { recursive: true });
  }
});

test('an interrupted or unchecked run is named', () => {
  const report = gather([intel(), epyc({ interrupted: true, parity: false })]);
  const headline = headlineMarkdown(report);
  expect(headline).toContain('Partial result: the run on AMD EPYC 9R14, 96 cores was interrupted.');
  expect(headline).toContain('Parity was not checked (AMD EPYC 9R14, 96 cores)');
});

test('a cell that one machine lacks is missing there alone', () => {
  const report = gather([
    intel(),
    epyc({
      fault: ({ engine }) => (engine === 'llamacpp' ? { status: 'unavailable', reason: 'no library' } : null),
    }),
  ]);
  expect(headlineMarkdown(report)).toContain('| AMD EPYC 9R14, 96 cores | llama-tiny | llama.cpp | fp32 |');
  const text = [...summaryCsv(report)].join('');
  expect(text.split('\n').filter((line) => line.includes('no library')).length).toBe(4);
  expect([...speedupsCsv(report)].join('')).not.toContain('NaN');
});
