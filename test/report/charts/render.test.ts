import { createCanvas, loadImage } from '@napi-rs/canvas';
import { expect, test } from 'vitest';
import { chooseFigures } from '../../../src/report/charts/choose.ts';
import type { Figure } from '../../../src/report/charts/figure.ts';
import { PALETTE } from '../../../src/report/charts/palette.ts';
import { type ImageFormat, render } from '../../../src/report/charts/render.ts';
import { summarise } from '../../../src/report/summary.ts';
import { type FixtureOptions, HOSTILE, makeInput } from '../fixtures.ts';

const COLOURS = PALETTE.light.series.map(({ fill }) => fill);

const figuresOf = (options: FixtureOptions = {}): Figure[] =>
  chooseFigures(summarise(makeInput({ generate: 4, ...options }))).figures;

async function pixels(figure: Figure, format: ImageFormat) {
  const image = await loadImage(await render(figure, format));
  const ctx = createCanvas(image.width, image.height).getContext('2d');
  ctx.drawImage(image, 0, 0);
  return {
    width: image.width,
    height: image.height,
    data: ctx.getImageData(0, 0, image.width, image.height).data,
  };
}

/** Share of an image that is exactly of one colour. */
function share({ data }: { data: Uint8ClampedArray }, colour: string): number {
  const wanted = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (wanted.every((channel, at) => data[i + at] === channel)) count++;
  }
  return (count * 4) / data.length;
}

test('PNG at twice the size, with every engine in its colour, on white', async () => {
  const [figure] = figuresOf();
  const png = await pixels(figure!, 'png');
  expect((await render(figure!, 'png')).subarray(1, 4).toString()).toBe('PNG');
  expect(png.width).toBe(1600);
  for (const colour of COLOURS.slice(0, 4)) expect(share(png, colour)).toBeGreaterThan(0.01);
  for (const colour of COLOURS.slice(4)) expect(share(png, colour)).toBeLessThan(0.001);
  expect([...png.data.slice(0, 4)]).toEqual([255, 255, 255, 255]);
});

test('SVG shows the same as PNG, and needs nothing beside itself', async () => {
  const [figure] = figuresOf({ verdict: ({ engine }) => (engine === 'llamacpp' ? 'mismatch' : 'match') });
  const svg = (await render(figure!, 'svg')).toString();
  expect(svg).toMatch(
    /<svg [^>]*width="800" height="\d+" viewBox="0 0 800 \d+" role="img"><title>Prompt throughput – /,
  );
  expect(svg).not.toMatch(/<(text|image|script|style|foreignObject|use)\b|href=|url\((?!#clip-)|@font-face/);
  const [drawn, reference] = [await pixels(figure!, 'svg'), await pixels(figure!, 'png')];
  expect(share(drawn, COLOURS[0]!) / share(reference, COLOURS[0]!)).toBeCloseTo(1, 1);
  // Edges of a pattern's lines are mixed colours, of which an image of half the size has a larger share.
  for (const colour of COLOURS.slice(1, 3)) {
    expect(share(drawn, colour) / share(reference, colour)).toBeGreaterThan(0.7);
    expect(share(drawn, colour) / share(reference, colour)).toBeLessThan(1.3);
  }
});

test('a mismatch is hatched: paper shows between the lines', async () => {
  const figures = (verdict: 'match' | 'mismatch') =>
    figuresOf({ verdict: ({ engine }) => (engine === 'onnxruntime' ? verdict : 'match') });
  const solid = share(await pixels(figures('match')[0]!, 'png'), COLOURS[0]!);
  const hatched = share(await pixels(figures('mismatch')[0]!, 'png'), COLOURS[0]!);
  expect(hatched).toBeGreaterThan(0);
  expect(hatched).toBeLessThan(solid / 2);
});

test('the bytes depend on nothing but the figure', async () => {
  const [figure, other] = figuresOf();
  const both = () => Promise.all((['png', 'svg'] as const).map((format) => render(figure!, format)));
  const first = await both();
  const [second] = await Promise.all([both(), render(other!, 'svg'), render(other!, 'png')]);
  expect(first[0]!.equals(second[0]!)).toBe(true);
  expect(first[1]!.equals(second[1]!)).toBe(true);
  // Two charts in one page must not share the names of their clip paths.
  const ids = (bytes: Buffer): string[] => bytes.toString().match(/id="[^"]+"/g) ?? [];
  const own = new Set(ids(first[1]!));
  expect(own.size).toBeGreaterThan(0);
  expect(ids(await render(other!, 'svg')).filter((id) => own.has(id))).toEqual([]);
});

test('the grey of each colour is lighter than the last', () => {
  const grey = (colour: string) =>
    [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
      const channel = Number.parseInt(colour.slice(1 + 2 * i, 3 + 2 * i), 16) / 255;
      return sum + weight * (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4);
    }, 0);
  const lightness = COLOURS.map((colour) => 116 * Math.cbrt(grey(colour)) - 16);
  for (let i = 1; i < lightness.length; i++) expect(lightness[i]! - lightness[i - 1]!).toBeGreaterThan(9);
});

test.each([...HOSTILE])('%j in a title is drawn, and is text in the SVG', async (hostile) => {
  const [figure] = figuresOf({
    models: [{ name: hostile, title: hostile }],
    precisions: ['fp32'],
    rounds: 1,
  });
  const svg = (await render(figure!, 'svg')).toString();
  expect(svg).not.toMatch(/<script/i);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 allows no others
  expect(svg).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/);
  expect(svg.match(/<title>/g)).toHaveLength(1);
});
