import type { SKRSContext2D } from '@napi-rs/canvas';
import type { Chart, Plugin } from 'chart.js';
import { type Box, crossBar, fillBar, line, write } from './drawing.ts';
import type { Category, Figure, Mark } from './figure.ts';
import { barText, GROUP_BAND, type Layout, LINE, MARGIN, STYLE, SWATCH } from './layout.ts';
import { fillOf, type Theme } from './palette.ts';

interface Slot {
  readonly mark: Mark;
  readonly colour: number;
  /** Of the bar, or where it would stand. */
  readonly centre: number;
  readonly width: number;
}

/** Everything on a chart that chart.js does not draw itself. */
export function decorations(figure: Figure, layout: Layout, theme: Theme): Plugin<'bar'> {
  return {
    id: 'ortbench-decorations',
    beforeDraw: (chart) => {
      const ctx = contextOf(chart);
      ctx.fillStyle = theme.paper;
      ctx.fillRect(0, 0, chart.width, chart.height);
      drawHeader(ctx, figure, layout, theme);
      drawNotes(ctx, layout, chart.height, theme);
    },
    afterDatasetsDraw: (chart) => {
      const ctx = contextOf(chart);
      const slots = slotsOf(chart, figure, layout);
      drawGroups(ctx, chart, figure, layout, theme);
      drawBars(ctx, chart, slots, theme);
      drawReference(ctx, chart, figure, theme);
      for (const slot of slots) {
        if (slot.mark.kind === 'gap') drawGap(ctx, chart, slot, slot.mark.letter, theme);
        else drawValue(ctx, chart, slot, slot.mark, figure, layout, theme);
      }
    },
  };
}

// chart.js speaks of the browser's context; the canvas it was given is the other kind.
const contextOf = (chart: Chart<'bar'>): SKRSContext2D => chart.ctx as unknown as SKRSContext2D;
const pixel = (chart: Chart<'bar'>, value: number): number => chart.scales.y!.getPixelForValue(value);

function slotsOf(chart: Chart<'bar'>, { categories, series }: Figure, { groupShare }: Layout): Slot[] {
  const { x } = chart.scales;
  const pitch = ((x!.width / categories.length) * groupShare) / series.length;
  return series.flatMap(({ marks, colour }, place) =>
    marks.map((mark, index) => ({
      mark,
      colour,
      centre: x!.getPixelForValue(index) + (place - (series.length - 1) / 2) * pitch,
      width: pitch * 0.92,
    })),
  );
}

function drawHeader(
  ctx: SKRSContext2D,
  figure: Figure,
  { title, subtitle, legend }: Layout,
  theme: Theme,
): void {
  let y = MARGIN + 16;
  for (const text of title) {
    write(ctx, text, MARGIN, y, { font: STYLE.title, colour: theme.title });
    y += LINE.title;
  }
  for (const text of subtitle) {
    write(ctx, text, MARGIN, y - 3, { font: STYLE.subtitle, colour: theme.muted });
    y += LINE.subtitle;
  }
  for (const { x, row, text, key } of legend) {
    const box: Box = { x: MARGIN + x, y: y - 3 + row * LINE.legend, width: SWATCH, height: SWATCH };
    if (key === 'reference') dash(ctx, box.x - 1, box.x + SWATCH + 1, box.y + SWATCH / 2, theme);
    else if (key === 'hatched') crossBar(ctx, box, theme.muted, theme);
    else if (figure.series[key]!.imported)
      crossBar(ctx, box, fillOf(figure.series[key]!.colour, theme).edge, theme);
    else fillBar(ctx, box, fillOf(figure.series[key]!.colour, theme));
    write(ctx, text, box.x + SWATCH + 6, box.y + 11.5, { font: STYLE.legend, colour: theme.text });
  }
}

function drawNotes(ctx: SKRSContext2D, { notes }: Layout, height: number, theme: Theme): void {
  const start = height - MARGIN - (notes.length - 1) * LINE.note;
  for (const [index, text] of notes.entries()) {
    write(ctx, text, MARGIN, start + index * LINE.note, { font: STYLE.note, colour: theme.muted });
  }
}

/** The second tier of the axis: a bracket and a heading under the categories of one group. */
function drawGroups(
  ctx: SKRSContext2D,
  chart: Chart<'bar'>,
  figure: Figure,
  { scaleWidth }: Layout,
  theme: Theme,
): void {
  const { x } = chart.scales;
  const categoryWidth = x!.width / figure.categories.length;
  const top = x!.bottom + 2;
  for (const { start, end, name } of groupsOf(figure.categories)) {
    const left = x!.left + start * categoryWidth;
    const right = x!.left + end * categoryWidth;
    ctx.strokeStyle = theme.axis;
    ctx.lineWidth = 1;
    line(ctx, left + 5, top + 0.5, right - 5, top + 0.5);
    write(ctx, name, (left + right) / 2, top + 16, {
      font: STYLE.group,
      colour: theme.text,
      align: 'center',
    });
    if (start === 0) continue;
    ctx.strokeStyle = theme.grid;
    line(ctx, Math.round(left) + 0.5, chart.chartArea.top, Math.round(left) + 0.5, top);
  }
  const middle = MARGIN + scaleWidth + x!.width / 2;
  write(ctx, figure.axisTitle, middle, top + GROUP_BAND - 13, {
    font: STYLE.note,
    colour: theme.muted,
    align: 'center',
  });
}

function groupsOf(categories: readonly Category[]): { start: number; end: number; name: string }[] {
  const found: { start: number; end: number; name: string }[] = [];
  for (const [index, { group }] of categories.entries()) {
    const last = found.at(-1);
    if (last?.name === group) last.end = index + 1;
    else found.push({ start: index, end: index + 1, name: group });
  }
  return found;
}

/** chart.js was told to leave its own transparent. */
function drawBars(ctx: SKRSContext2D, chart: Chart<'bar'>, slots: readonly Slot[], theme: Theme): void {
  for (const { mark, colour, centre, width } of slots) {
    if (mark.kind === 'gap') continue;
    const y = pixel(chart, mark.value);
    const box = { x: centre - width / 2, y, width, height: pixel(chart, 0) - y };
    const fill = fillOf(colour, theme);
    if (mark.hatched) crossBar(ctx, box, fill.edge, theme);
    else fillBar(ctx, box, fill);
  }
}

function drawReference(ctx: SKRSContext2D, chart: Chart<'bar'>, { reference }: Figure, theme: Theme): void {
  if (reference === null) return;
  const { left, right } = chart.chartArea;
  dash(ctx, left, right, Math.round(pixel(chart, reference.value)) + 0.5, theme);
}

/** Dashes of ink with an edge of paper: seen on bars of every colour. */
function dash(ctx: SKRSContext2D, fromX: number, toX: number, y: number, theme: Theme): void {
  ctx.save();
  ctx.setLineDash([5, 3]);
  for (const [colour, thickness] of [
    [theme.paper, 3.5],
    [theme.title, 1.5],
  ] as const) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = thickness;
    line(ctx, fromX, y, toX, y);
  }
  ctx.restore();
}

function drawValue(
  ctx: SKRSContext2D,
  chart: Chart<'bar'>,
  { centre, width }: Slot,
  mark: Extract<Mark, { kind: 'bar' }>,
  figure: Figure,
  { upright }: Layout,
  theme: Theme,
): void {
  let top = pixel(chart, mark.value);
  if (mark.interval !== null) {
    const high = pixel(chart, mark.interval[1]);
    const low = pixel(chart, mark.interval[0]);
    const cap = Math.min(4, width / 4);
    // Paper under ink, so that the bar shows on dark and on light bars.
    for (const [colour, thickness] of [
      [theme.paper, 3],
      [theme.title, 1.25],
    ] as const) {
      ctx.strokeStyle = colour;
      ctx.lineWidth = thickness;
      line(ctx, centre, high, centre, low);
      line(ctx, centre - cap, high, centre + cap, high);
      line(ctx, centre - cap, low, centre + cap, low);
    }
    top = Math.min(top, high);
  }
  const style = { font: STYLE.value, colour: theme.title, halo: theme.paper } as const;
  const lines = barText(mark, figure, upright);
  if (upright) write(ctx, lines[0]!, centre, top - 5, { ...style, baseline: 'middle', upright });
  else {
    for (const [above, text] of lines.entries()) {
      const font = above === 0 ? STYLE.value : STYLE.speedup;
      write(ctx, text, centre, top - 5 - above * LINE.value, { ...style, font, align: 'center' });
    }
  }
}

/** A dashed stub where the bar would stand, with the letter that the notes explain. */
function drawGap(
  ctx: SKRSContext2D,
  chart: Chart<'bar'>,
  { centre, width }: Slot,
  letter: string,
  theme: Theme,
): void {
  const base = pixel(chart, 0);
  const height = 20;
  ctx.save();
  ctx.strokeStyle = theme.axis;
  ctx.lineWidth = 1;
  ctx.setLineDash([2, 2]);
  ctx.strokeRect(centre - width / 2 + 0.5, base - height, Math.max(0, width - 1), height);
  ctx.restore();
  write(ctx, letter, centre, base - 6.5, { font: STYLE.value, colour: theme.text, align: 'center' });
}
