import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadSweep } from '../../src/config/load.ts';
import { readPublished } from '../../src/config/published.ts';
import { enginesOf, metasOf } from '../../src/plan/facts.ts';
import { type PlanFacts, planSweep } from '../../src/plan/plan.ts';

const FOLDER = 'configs/blog';
const suites = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.yaml') && file !== 'published.yaml')
  .map((file) => file.replace(/\.yaml$/, ''));

/** Parameters as the hub counts them, layers of the whole model. */
const WHOLE: Readonly<Record<string, readonly [parameters: number, layers: number]>> = {
  'phi-2': [2_779_683_840, 32],
  'mistral-7b': [7_241_732_096, 32],
  'codellama-70b': [68_976_910_336, 80],
  'orca-2-7b': [6_738_440_192, 32],
  'orca-2-13b': [13_015_895_040, 40],
  'gemma-2b': [2_506_172_416, 18],
  'gemma-7b': [8_537_680_896, 28],
  'llama-2-7b': [6_738_415_616, 32],
  'llama-2-13b': [13_015_864_320, 40],
};

const huge: PlanFacts = { memoryMiB: 4e6, availableMiB: null, threads: 8 };
const file = (suite: string) => join(FOLDER, `${suite}.yaml`);

async function plan(suite: string, overrides: Parameters<typeof loadSweep>[1], facts = huge) {
  const loaded = await loadSweep(file(suite), overrides);
  return { loaded, cells: planSweep(loaded, metasOf(await enginesOf(loaded.sweep)), facts).cells };
}

it('there is a suite for every system of the blog, and published figures name no other', async () => {
  expect(suites.sort()).toEqual(Object.keys(WHOLE).sort());
  const { systems } = await readPublished(join(FOLDER, 'published.yaml'));
  expect(systems.map(({ model }) => model).sort()).toEqual(suites);
});

describe.each(suites)('%s', (suite) => {
  it('is the published grid of the true model at a pinned revision', async () => {
    const { sweep, models } = await loadSweep(file(suite));
    expect(models).toHaveLength(1);
    const { spec, shape } = models[0]!;
    expect(spec.source).toMatchObject({ kind: 'hub', revision: expect.stringMatching(/^[0-9a-f]{40}$/) });
    expect([shape.parameters, shape.layers]).toEqual(WHOLE[suite]);
    expect(sweep.device).toBe('cuda');
    expect([Math.min(...sweep.batchSizes), Math.max(...sweep.batchSizes)]).toEqual([1, 16]);
    expect(Math.max(...sweep.promptLengths.map(({ length }) => length))).toBe(2048);
    expect(sweep.generate).toBe(256);
  });

  it('has the engines, baselines, precisions and cells that its claims are about', async () => {
    const { sweep, published } = await loadSweep(file(suite));
    const engines = sweep.engines.map(({ engine }) => engine);
    const baselines = sweep.baselines.map(({ engine }) => engine);
    for (const { claims } of published!.systems) {
      for (const claim of claims) {
        expect(engines).toContain(claim.engine);
        for (const baseline of claim.baseline.engines) expect(baselines).toContain(baseline);
        expect(sweep.precisions).toContain(claim.precision);
        if (claim.upTo?.batchSize) expect(sweep.batchSizes).toContain(claim.upTo.batchSize);
        if (claim.upTo?.promptLength)
          expect(sweep.promptLengths.map(({ length }) => length)).toContain(claim.upTo.promptLength);
      }
    }
  });

  it('plans on a CPU with one layer: fp32 and int4 of the whole grid on every engine, fp16 with its reason', async () => {
    const { loaded, cells } = await plan(suite, { device: 'cpu', layers: 1 });
    const [model] = loaded.models;
    expect(model!.spec.name).toBe(`${suite}-1of${WHOLE[suite]![1]}layers`);
    const planned = cells.filter(({ status }) => status === 'planned');
    const engines = ['onnxruntime', 'pytorch-eager', 'pytorch-compile', 'llamacpp', 'genai'];
    const shapes = loaded.sweep.batchSizes.length * loaded.sweep.promptLengths.length;
    for (const engine of engines) {
      for (const precision of ['fp32', 'int4']) {
        const own = planned.filter(({ cell }) => cell.engine === engine && cell.precision === precision);
        expect(own, `${engine} ${precision}`).toHaveLength(shapes);
      }
    }
    expect(planned).toHaveLength(2 * engines.length * shapes);
    for (const { cell, status, reason } of cells) {
      expect(cell.model).toBe(model!.spec.name);
      if (cell.precision === 'fp16') expect(status).toBe('skipped');
      if (status !== 'planned') expect(reason).toBeTruthy();
    }
  });

  it('is cut to a small machine with reasons, never silently', async () => {
    const facts = { memoryMiB: 24_000, availableMiB: null, threads: 2 };
    const { cells } = await plan(suite, { device: 'cpu', layers: 1, maxHours: 6 }, facts);
    const left = cells.filter(({ status }) => status === 'planned');
    expect(left.length).toBeGreaterThan(0);
    expect(left.reduce((sum, { seconds }) => sum + seconds, 0)).toBeLessThanOrEqual(6 * 3600);
    const cut = cells.filter(({ cell, status }) => status !== 'planned' && cell.precision !== 'fp16');
    expect(cut.length).toBeGreaterThan(0);
    for (const { reason } of cut) expect(reason).toMatch(/of the 6 h allowed|of memory/);
  });
});
