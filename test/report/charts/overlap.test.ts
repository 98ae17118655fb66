import { createCanvas, type SKRSContext2D } from '@napi-rs/canvas';
import { Chart as ChartJs } from 'chart.js/auto';
import { expect, test } from 'vitest';
import { chooseFigures } from '../../../src/report/charts/choose.ts';
import type { Figure } from '../../../src/report/charts/figure.ts';
import { groupedBars } from '../../../src/report/charts/grouped-bars.ts';
import { PALETTE } from '../../../src/report/charts/palette.ts';
import { loadFont } from '../../../src/report/charts/text.ts';
import { gather } from '../../../src/report/gather.ts';
import { summarise } from '../../../src/report/summary.ts';
import { ENGINES, type FixtureOptions, makeInput } from '../fixtures.ts';
import { gatheredInputs } from '../gathered.ts';

interface TextBox {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Where every piece of text of a figure lands on its canvas: the ink's box, whichever way it is turned. */
function textBoxes(figure: Figure): { boxes: TextBox[]; width: number; height: number } {
  loadFont();
  const { layout, config } = groupedBars(figure, PALETTE.light);
  const canvas = createCanvas(layout.width, layout.height);
  const ctx = canvas.getContext('2d');
  const boxes: TextBox[] = [];
  const draw = ctx.fillText.bind(ctx);
  ctx.fillText = (text: string, x: number, y: number, ...rest: number[]) => {
    boxes.push(boxOf(ctx, text, x, y));
    draw(text, x, y, ...rest);
  };
  config.options = { ...config.options, devicePixelRatio: 1 };
  new ChartJs(canvas as unknown as ConstructorParameters<typeof ChartJs>[0], config).destroy();
  return {
    boxes: boxes.filter(({ text }) => text.trim() !== ''),
    width: layout.width,
    height: layout.height,
  };
}

function boxOf(ctx: SKRSContext2D, text: string, x: number, y: number): TextBox {
  const ink = ctx.measureText(text);
  const { a, b, c, d, e, f } = ctx.getTransform();
  const corners = [
    [x - ink.actualBoundingBoxLeft, y - ink.actualBoundingBoxAscent],
    [x + ink.actualBoundingBoxRight, y - ink.actualBoundingBoxAscent],
    [x - ink.actualBoundingBoxLeft, y + ink.actualBoundingBoxDescent],
    [x + ink.actualBoundingBoxRight, y + ink.actualBoundingBoxDescent],
  ].map(([u, v]) => [a * u! + c * v! + e, b * u! + d * v! + f] as const);
  const xs = corners.map(([u]) => u);
  const ys = corners.map(([, v]) => v);
  return {
    text,
    left: Math.min(...xs),
    right: Math.max(...xs),
    top: Math.min(...ys),
    bottom: Math.max(...ys),
  };
}

/** Boxes may touch by half a pixel of anti-aliasing. */
const SLACK = 0.5;
const overlap = (a: TextBox, b: TextBox): boolean =>
  a.left < b.right - SLACK &&
  b.left < a.right - SLACK &&
  a.top < b.bottom - SLACK &&
  b.top < a.bottom - SLACK;

function faultsOf(figure: Figure): string[] {
  const { boxes, width, height } = textBoxes(figure);
  expect(boxes.length, figure.title).toBeGreaterThan(10);
  const outside = boxes
    .filter(({ left, right, top, bottom }) => left < 0 || top < 0 || right > width || bottom > height)
    .map(({ text }) => `${text} is outside`);
  const pairs = boxes.flatMap((a, i) =>
    boxes.slice(i + 1).flatMap((b) => (overlap(a, b) ? [`${a.text} on ${b.text}`] : [])),
  );
  return [...outside, ...pairs];
}

/** Engines × batch sizes × prompt lengths of one model and precision. */
const SIZES: readonly (readonly [cells: number, engines: number, batches: number, prompts: number])[] = [
  [1, 1, 1, 1],
  [2, 2, 1, 1],
  [8, 4, 1, 2],
  [24, 4, 2, 3],
  [60, 4, 5, 3],
  [96, 12, 4, 2],
  [200, 4, 5, 10],
  [200, 2, 10, 10],
  [200, 1, 1, 200],
];

const many = Array.from({ length: 12 }, (_, i) => ({
  name: `engine-${i}`,
  title: `An engine with a rather long name, variant ${i}`,
  speed: [1 + i / 4, 2 - i / 8] as const,
}));

const optionsOf = (engines: number, batches: number, prompts: number): FixtureOptions => ({
  engines: engines > ENGINES.length ? many.slice(0, engines) : ENGINES.slice(0, engines),
  precisions: ['int4'],
  batchSizes: Array.from({ length: batches }, (_, i) => 2 ** i),
  promptLengths: Array.from({ length: prompts }, (_, i) =>
    i % 3 === 2 ? { length: 64 * (i + 1), spread: 0.5 } : 64 * (i + 1),
  ),
  generate: 4,
  noise: 0.2,
  baselines: [
    { engine: engines > ENGINES.length ? 'engine-0' : ENGINES[engines - 1]!.name, precision: null },
  ],
});

test.each(SIZES)(
  '%i cells (%i engines, %i batch sizes, %i prompt lengths): no text on text, none outside',
  (cells, engines, batches, prompts) => {
    const input = makeInput(optionsOf(engines, batches, prompts));
    expect(input.manifest.cells).toHaveLength(cells);
    const { figures } = chooseFigures(summarise(input));
    expect(figures.length).toBeGreaterThan(0);
    for (const figure of figures) expect(faultsOf(figure), figure.stem).toEqual([]);
  },
);

test.each(
  SIZES.filter(([cells, engines]) => [1, 24, 96].includes(cells) || (cells === 200 && engines !== 2)),
)(
  '%i cells a run (%i engines, %i batch sizes, %i prompt lengths), several runs, a roof, imported figures: no text on text',
  (cells, engines, batches, prompts) => {
    const inputs = gatheredInputs({ ...optionsOf(engines, batches, prompts), generate: 3, rounds: 6 });
    expect(inputs[0]!.manifest.cells).toHaveLength(cells);
    const report = gather(inputs);
    const { figures } = chooseFigures(report);
    const kinds = new Set(figures.map(({ facets }) => facets.kind));
    expect(kinds).toContain('Throughput');
    expect(kinds).toContain('Use of the machine');
    expect(figures.some(({ series }) => series.some(({ imported }) => imported))).toBe(true);
    // What has no roof, or no figure of ours, would only leave a chart of utilisation half empty.
    for (const { facets, series, categories } of figures) {
      if (facets.kind !== 'Use of the machine') continue;
      expect(series.some(({ imported }) => imported)).toBe(false);
      expect(categories.some(({ group }) => group.includes('EPYC'))).toBe(false);
    }
    for (const figure of figures) expect(faultsOf(figure), figure.stem).toEqual([]);
  },
  60_000,
);

test('gaps, mismatches, large and tiny values, long notes', () => {
  const input = makeInput({
    ...optionsOf(4, 4, 4),
    noise: 0.4,
    engines: ENGINES.map((engine, i) => ({
      ...engine,
      speed: [10 ** (i * 2 - 2), 10 ** (2 - i * 2)] as const,
    })),
    verdict: ({ engine }) => (engine === 'onnxruntime' ? 'mismatch' : 'match'),
    fault: ({ engine, batchSize }) =>
      engine === 'llamacpp' && batchSize > 2
        ? { status: 'failed', reason: `a long reason ${'with words '.repeat(20)}` }
        : null,
  });
  for (const figure of chooseFigures(summarise(input)).figures)
    expect(faultsOf(figure), figure.stem).toEqual([]);
});

test('the measure finds text on text, whichever way it is turned', () => {
  const ctx = createCanvas(200, 200).getContext('2d');
  ctx.font = '12px sans-serif';
  const first = boxOf(ctx, 'hello', 50, 100);
  expect(overlap(first, boxOf(ctx, 'world', 60, 104))).toBe(true);
  expect(overlap(first, boxOf(ctx, 'world', 50, 130))).toBe(false);
  ctx.translate(60, 140);
  ctx.rotate(-Math.PI / 2);
  const upright = boxOf(ctx, 'a long text upwards', 0, 0);
  expect(upright.bottom - upright.top).toBeGreaterThan(upright.right - upright.left);
  expect(overlap(first, upright)).toBe(true);
});
