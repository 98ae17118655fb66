import { describe, expect, it } from 'vitest';
import { headlineMarkdown } from '../../../src/report/headline.ts';
import type { Report } from '../../../src/report/model.ts';
import { publishedPage } from '../../../src/report/published/page.ts';
import { publishedTable } from '../../../src/report/published/terminal.ts';
import { claimText, measuredText } from '../../../src/report/published/text.ts';
import { summarise } from '../../../src/report/summary.ts';
import type { Manifest } from '../../../src/schema/manifest.ts';
import { type Published, publishedSchema } from '../../../src/schema/published.ts';
import { type FixtureOptions, makeInput } from '../fixtures.ts';

type ClaimInput = Record<string, unknown>;

const system = (claims: readonly ClaimInput[], changes: Record<string, unknown> = {}) => ({
  model: 'llama-tiny',
  device: 'cuda',
  hardware: '1 × A100',
  versions: 'onnxruntime-gpu 1.17.0',
  generate: 256,
  claims,
  ...changes,
});

const eager = { title: 'PyTorch', engines: ['pytorch-eager'], precision: null };
const claim = {
  phase: 'decode',
  engine: 'onnxruntime',
  precision: 'int4',
  baseline: eager,
  upTo: { speedup: 26 },
};

/** A report of a run with these published figures; `model` changes the manifest's entry of the model. */
function report(
  systems: readonly unknown[],
  options: FixtureOptions = {},
  model: Partial<Manifest['models'][number]> = {},
): Report {
  const input = makeInput(options);
  const published: Published = publishedSchema.parse({
    source: { title: 'A blog', date: '2024-02-26', caveats: ['prompts there differ in length'] },
    systems,
  });
  const models = input.manifest.models.map((entry) => ({ ...entry, ...model }));
  return summarise({ ...input, manifest: { ...input.manifest, models, published } });
}

const kinds = (row: Report['published'][number]) => row.differences.map(({ kind }) => kind);

describe('published beside measured', () => {
  it('has no rows where the sweep names no published figures', () => {
    const none = summarise(makeInput());
    expect(none.published).toEqual([]);
    expect(headlineMarkdown(none)).not.toContain('Published beside measured');
    expect(publishedTable(none.published, 120)).toBe('');
    expect(publishedPage([none])).toBe('\n');
  });

  it('gives what this run measured of the claim’s phase and precision, cell by cell as in speedups.csv', () => {
    const whole = report([system([claim])]);
    const [row] = whole.published;
    const own = whole.speedups.filter(
      ({ phase, cell, speedup }) =>
        phase === 'decode' && cell.engine === 'onnxruntime' && cell.precision === 'int4' && speedup !== null,
    );
    const ratios = own.map(({ speedup }) => speedup!);
    expect(whole.published).toHaveLength(1);
    expect(row!.measured!.compared).toBe(4);
    expect(row!.measured!.highest.speedup).toBe(Math.max(...ratios));
    expect(row!.measured!.lowest.speedup).toBe(Math.min(...ratios));
    const logs = ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length;
    expect(row!.measured!.average).toBeCloseTo(Math.exp(logs), 12);
  });

  it('names every difference that is known, and only those', () => {
    const [row] = report([system([claim])]).published;
    expect(kinds(row!)).toEqual(['hardware', 'weights', 'baseline', 'versions', 'prompts']);
    const [cut] = report(
      [system([{ ...claim, phase: null }], { generate: 128 })],
      { parity: false },
      { ofLayers: 32, layers: 1, name: 'llama-tiny', uncutName: 'llama-tiny' },
    ).published;
    expect(kinds(cut!)).toEqual([
      'hardware',
      'weights',
      'layers',
      'baseline',
      'versions',
      'generate',
      'phase',
      'prompts',
      'parity',
    ]);
    expect(cut!.differences.find(({ kind }) => kind === 'layers')!.text).toBe(
      'layers: 1 of 32 here, all there',
    );
    const [own] = report([system([claim])], {}, { origin: 'owner/name@0123456' }).published;
    expect(kinds(own!)).not.toContain('weights');
  });

  it('takes fp32 where fp16 was not measured, and says so; int4 is replaced by nothing', () => {
    const half = { ...claim, precision: 'fp16' };
    const [row] = report([system([half])]).published;
    expect(row!.measured!.precision).toBe('fp32');
    expect(row!.differences.find(({ kind }) => kind === 'precision')!.text).toBe(
      'precision: fp32 here, fp16 there',
    );
    const [none] = report([system([claim])], { precisions: ['fp32'] }).published;
    expect(none!.measured).toBeNull();
    expect(none!.reason).toBe('this sweep has no such comparison');
  });

  it('prints the interval of the average and of the highest where the headline does', () => {
    const whole = report([system([claim])]);
    const average = whole.averages.find(
      ({ engine, precision, phase }) =>
        engine === 'onnxruntime' && precision === 'int4' && phase === 'decode',
    )!;
    const [low, high] = whole.published[0]!.measured!.interval!;
    expect(low).toBeCloseTo(average.interval![0], 12);
    expect(high).toBeCloseTo(average.interval![1], 12);
    expect(measuredText(whole.published[0]!)).toMatch(
      /: 1\.\d\d× \(1\.\d\d–1\.\d\d\) on average over 4 of 4 cells, 1\.\d\d× to 1\.\d\d× \(1\.\d\d–1\.\d\d; batch \d, prompt \d+\)$/,
    );
    expect(headlineMarkdown(whole)).toContain('Factors in parentheses are 95 % intervals.');
    const few = report([system([claim])], { rounds: 3 });
    expect(measuredText(few.published[0]!)).toMatch(/: 1\.\d\d× on average over 4 of 4 cells/);
    expect(headlineMarkdown(few)).toContain('There were too few rounds for intervals.');
  });

  it('stands beside what the source says without a number, and takes nothing but words for that', () => {
    const { upTo, ...bare } = claim;
    const [row] = report([system([{ ...bare, words: 'best at batch 1', note: 'typically' }])]).published;
    expect(claimText(row!)).toBe('best at batch 1, without a figure (typically)');
    expect(row!.measured!.compared).toBe(4);
    expect(() => report([system([bare])])).toThrow('or words where the source gives no number');
  });

  it('says of the cell that a claim names whether it was measured', () => {
    const named = (batchSize: number, promptLength: number) => ({
      ...claim,
      upTo: { speedup: 13.08, batchSize, promptLength },
    });
    const [there] = report([system([named(4, 256)])]).published;
    expect(there!.measured!.namedCell!.cell).toMatchObject({ batchSize: 4, promptLength: { length: 256 } });
    expect(kinds(there!)).not.toContain('grid');
    const [absent] = report([system([named(16, 2048)])]).published;
    expect(absent!.measured!.namedCell).toBeNull();
    expect(absent!.differences.find(({ kind }) => kind === 'grid')!.text).toBe(
      'grid: batch 16, prompt 2048 not measured here',
    );
  });

  it('counts only the batch sizes that a claim is about', () => {
    const [row] = report([system([{ ...claim, batchSizes: [1] }])]).published;
    expect(row!.measured!.cells).toBe(2);
    expect(row!.measured!.highest.cell.batchSize).toBe(1);
  });

  it('shows nothing measured, with the reason, where engines compute different things', () => {
    const [row] = report([system([claim])], { verdict: () => 'mismatch' }).published;
    expect(row!.measured).toBeNull();
    expect(row!.reason).toContain('mismatch');
    expect(row!.differences).toEqual([]);
  });

  it('puts a claim without a phase beside both, and lists a model without a figure', () => {
    const rows = report([system([{ ...claim, phase: null }])]).published;
    expect(rows.map(({ phase }) => phase)).toEqual(['prefill', 'decode']);
    const [bare] = report([system([])]).published;
    expect(bare).toMatchObject({ claim: null, measured: null });
  });

  it('knows a cut model by its name without the cut', () => {
    const models = [{ name: 'other-1of32layers', title: 'Other, 1 of 32 layers' }];
    const rows = report(
      [system([claim], { model: 'other' })],
      { models },
      { uncutName: 'other', ofLayers: 32, layers: 1 },
    );
    expect(rows.published[0]!.measured!.modelTitle).toBe('Other, 1 of 32 layers');
  });
});

describe('the table', () => {
  const whole = report(
    [system([claim, { ...claim, phase: 'prefill', average: 3.9 }])],
    {},
    { ofLayers: 32, layers: 1 },
  );

  it('in Markdown has every difference once, below it', () => {
    const text = headlineMarkdown(whole);
    expect(text).toContain('## Published beside measured');
    expect(text).toContain('| what | published | measured here | not like for like |');
    expect(text).toContain('up to 26×');
    expect(text).toContain('3.9× on average, up to 26×');
    expect(text.split('layers: 1 of 32 here, all there')).toHaveLength(2);
    expect(text).toMatch(/\\\[1\\\] \\\[2\\\]/);
  });

  it('on a terminal keeps within its width', () => {
    for (const width of [40, 80, 120, 200]) {
      const lines = publishedTable(whole.published, width)
        .split('\n')
        .filter((line) => /[│┌├└]/.test(line));
      expect(lines.length).toBeGreaterThan(4);
      for (const line of lines) expect([...line].length).toBeLessThanOrEqual(Math.max(width, 80));
    }
  });

  it('on a page of several runs has a section for each, with what it was measured under', () => {
    const page = publishedPage([whole, whole]);
    expect(page.split('\n## ')).toHaveLength(2);
    expect(page.startsWith('## ')).toBe(true);
    expect(page).toContain('Measured 32 cells of 32, 32 with parity; 6 rounds, 256 tokens generated');
    expect(page).not.toContain('not fit for publication');
  });
});
