import { describe, expect, it } from 'vitest';
import { CHARTS } from '../../src/report/charts/index.ts';
import type { ReportInput } from '../../src/report/model.ts';
import { summarise } from '../../src/report/summary.ts';
import { makeInput } from './fixtures.ts';
import { withRoof } from './gathered.ts';

const ONE_LAYER = 512 * (2 * 512 + 2 * 256) + 3 * 512 * 8192;

/** One engine of the run leaves out the last MLP; the model keeps so many layers, of so many where it was cut. */
function ofDepth(layers: number, ofLayers?: number, sparing = ['llamacpp']): ReportInput {
  const input = withRoof(makeInput(), 1e12, 1e15);
  return {
    ...input,
    manifest: {
      ...input.manifest,
      engines: input.manifest.engines.map((engine) => ({
        ...engine,
        sparesLastMlp: sparing.includes(engine.name),
      })),
      models: input.manifest.models.map((model) => ({
        ...model,
        layers,
        ...(ofLayers === undefined ? {} : { ofLayers }),
        shape: { ...model.shape!, layers, parameters: 2 * 32_000 * 512 + layers * ONE_LAYER },
      })),
    },
  };
}
const told = (input: ReportInput) =>
  summarise(input).warnings.filter((warning) => warning.includes('the MLP of the last layer'));

describe('what an engine leaves out of the last layer', () => {
  it('is told where the model is shallow, with what it would be of the whole', () => {
    const [told1, ...more] = told(ofDepth(1, 32));
    expect(more).toEqual([]);
    expect(told1).toMatch(/^llama\.cpp runs the MLP of the last layer for the last position/);
    const [share, whole] = [...told1!.matchAll(/(\d+)%|(\d+) %/g)].map(([text]) => Number.parseInt(text, 10));
    expect(share).toBeGreaterThan(60);
    expect(whole).toBeLessThan(5);
    expect(told1).toContain('of all 32 layers');
  });

  it('is not told of a deep model, nor where no engine or every engine does so', () => {
    expect(told(ofDepth(4))).toHaveLength(1);
    expect(told(ofDepth(32))).toEqual([]);
    expect(told(ofDepth(1, 32, []))).toEqual([]);
    const all = makeInput().manifest.engines.map(({ name }) => name);
    expect(told(ofDepth(1, 32, all))).toEqual([]);
  });

  it('stands under the charts of prompts with bars of both, and under no other', () => {
    const report = summarise(ofDepth(1, 32));
    for (const chart of Object.values(CHARTS)) {
      for (const { facets, notes, stem } of chart.figures(report)) {
        const expected = facets.phase === 'prefill' && facets.kind !== 'Use of the machine' ? 1 : 0;
        expect(
          notes.filter((note) => note.includes('the MLP of the last layer')),
          stem,
        ).toHaveLength(expected);
      }
    }
  });
});
