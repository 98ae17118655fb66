import { expect, test } from 'vitest';
import { chooseFigures } from '../../../src/report/charts/choose.ts';
import type { Figure } from '../../../src/report/charts/figure.ts';
import { layOut, split } from '../../../src/report/charts/layout.ts';
import { cutToWidth, font, printable, textWidth, wrap } from '../../../src/report/charts/text.ts';
import { throughput } from '../../../src/report/charts/throughput.ts';
import { summarise } from '../../../src/report/summary.ts';
import { makeInput } from '../fixtures.ts';

const figure = (groups: number, members: number, series: number): Figure => ({
  model: 'm',
  facets: { precision: 'fp32', device: 'cpu', phase: 'decode', kind: 'Throughput' },
  stem: 'stem',
  title: 'Title',
  subtitle: 'subtitle',
  axisTitle: 'axis',
  categories: Array.from({ length: groups * members }, (_, i) => ({
    group: `batch ${Math.floor(i / members)}`,
    label: [String(i % members)],
  })),
  series: Array.from({ length: series }, (_, colour) => ({
    engine: `engine-${colour}`,
    name: `engine ${colour}`,
    colour,
    marks: Array.from({ length: groups * members }, (_, i) => ({
      kind: 'bar' as const,
      value: 1234 + i,
      interval: null,
      hatched: false,
      speedup: null,
      row: '',
    })),
  })),
  reference: null,
  unit: 'tokens/s',
  formatValue: (value) => value.toFixed(0),
  notes: ['note'],
});

test.each([
  [1, 1, 1],
  [2, 2, 4],
  [6, 7, 4],
  [1, 60, 5],
  [40, 1, 3],
  [3, 3, 12],
])(
  '%i groups of %i with %i series: no value is wider than its bar, no image too wide',
  (groups, members, series) => {
    const whole = figure(groups, members, series);
    const parts = split(whole);
    expect(parts.flatMap(({ categories }) => categories)).toEqual(whole.categories);
    for (const part of parts) {
      const { width, scaleWidth, groupShare, upright, legend } = layOut(part);
      expect(width).toBeLessThanOrEqual(1280);
      const bar = (((width - 48 - scaleWidth) / part.categories.length) * groupShare) / series;
      const style = font(11);
      // Written upwards, a value is as wide as its line is high.
      expect(upright ? 13 : textWidth('1234', style)).toBeLessThanOrEqual(bar);
      for (const { x, text } of legend)
        expect(x + textWidth(text, font(12.5))).toBeLessThanOrEqual(width - 48);
    }
  },
);

test('a wide figure is cut between groups, and every part has its own name', () => {
  const parts = split(figure(6, 7, 4));
  expect(parts.length).toBeGreaterThan(1);
  expect(parts.map(({ stem }) => stem)).toEqual(parts.map((_, i) => `stem-${i + 1}of${parts.length}`));
  for (const { categories } of parts) expect(categories.length % 7).toBe(0);
});

test('a group that alone is too wide is divided evenly', () => {
  const sizes = split(figure(1, 60, 5)).map(({ categories }) => categories.length);
  expect(sizes.length).toBeGreaterThan(1);
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(sizes.length);
});

test('parts without a bar are left out', () => {
  const whole = figure(6, 7, 4);
  const half = {
    ...whole,
    series: whole.series.map((series) => ({
      ...series,
      marks: series.marks.map((mark, i) => (i < 7 ? mark : { kind: 'gap' as const, letter: 'a' })),
    })),
  };
  expect(split(half).map(({ stem }) => stem)).toEqual(['stem']);
});

test('text is cut and wrapped to a width', () => {
  const style = font(12);
  for (const width of [40, 120, 400]) {
    expect(textWidth(cutToWidth('a rather long name of an engine', style, width), style)).toBeLessThanOrEqual(
      width,
    );
    for (const line of wrap(`words and ${'x'.repeat(200)} more words`, style, width)) {
      expect(textWidth(line, style)).toBeLessThanOrEqual(width);
    }
  }
  expect(wrap('one two', style, 1000)).toEqual(['one two']);
});

test('what the font lacks is a box on every machine', () => {
  expect(printable('Größe 1.72× Ελλ Привет – …')).toBe('Größe 1.72× Ελλ Привет – …');
  expect(printable('中文 😀\n\u202Ex\u0000')).toBe('□□ □ x');
});

test('of too many figures, first parts are drawn, and the rest is counted', () => {
  const report = summarise(
    makeInput({
      batchSizes: [1, 2, 3, 4, 5, 6],
      promptLengths: [8, 16, 32, 64, 128, 256, 512],
      rounds: 1,
      generate: 2,
      baselines: [],
    }),
  );
  const all = chooseFigures(report);
  expect(all.leftOut).toBe(0);
  const figures = throughput.figures(report).length;
  expect(figures).toBe(4);
  const few = chooseFigures(report, 5);
  expect(few.leftOut).toBe(all.figures.length - 5);
  expect(few.figures.filter(({ stem }) => /-1of/.test(stem))).toHaveLength(4);
});
