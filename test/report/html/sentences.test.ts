import { expect, test } from 'vitest';
import { facetsOf } from '../../../src/report/html/facets.ts';
import { averages } from '../../../src/report/html/sections/averages.ts';
import type { PageContext } from '../../../src/report/html/sections/section.ts';
import { summary } from '../../../src/report/html/sections/summary.ts';
import { summarise } from '../../../src/report/summary.ts';
import { SKIP_REASONS } from '../../../src/schema/skip-reasons.ts';
import { type FixtureOptions, makeInput } from '../fixtures.ts';

function sectionsOf(options: FixtureOptions) {
  const report = summarise(makeInput(options));
  const context: PageContext = {
    report,
    facets: facetsOf(report),
    raw: { kind: 'inline', base64: '' } as PageContext['raw'],
    history: null,
    files: [],
  };
  return { summary: String(summary.render(context)), averages: String(averages.render(context) ?? '') };
}

test("the first sentences are of the sweep's first engine", () => {
  const { summary: text } = sectionsOf({ baselines: [{ engine: 'llamacpp', precision: null }] });
  const engines = [...text.matchAll(/<strong>[^<]*: ([^<]*) against/g)].map(([, engine]) => engine);
  const others = engines.findIndex((engine) => engine !== 'ONNX Runtime');
  expect(others).toBeGreaterThan(1);
  expect(engines.slice(others)).not.toContain('ONNX Runtime');
});

test('what a rule left out has neither a sentence nor a row', () => {
  const excluded = { status: 'skipped', reason: `${SKIP_REASONS.excluded} my.yaml:9:5` } as const;
  const some = sectionsOf({ fault: ({ precision }) => (precision === 'fp32' ? excluded : null) });
  for (const text of [some.summary, some.averages]) {
    expect(text).toContain('int4');
    expect(text).not.toContain('fp32');
  }
  const all = sectionsOf({ fault: () => excluded });
  expect(all.summary).toContain('leave nothing to compare');
  expect(all.averages).toBe('');
});
