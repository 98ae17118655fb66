import { groupBy } from '../group-by.ts';
import { type Figure, hasBars, type Mark } from './figure.ts';
import { cutToWidth, font, printable, textWidth, wrap } from './text.ts';

/** Sizes in CSS pixels; PNG files have twice as many. */
export const MARGIN = 24;
export const STYLE = {
  title: font(19, 600),
  subtitle: font(13),
  legend: font(12.5),
  value: font(11),
  speedup: font(11, 600),
  group: font(12, 600),
  axis: font(12),
  note: font(11),
} as const;
export const LINE = { title: 26, subtitle: 18, legend: 21, note: 15.5, value: 13.5 } as const;
export const TICK_SIZE = 12;
const SCALE_WIDTH = 54;
export const PLOT_HEIGHT = 330;
export const GROUP_BAND = 46;
const NARROWEST = 800;
const WIDEST = 1240;
/** Room between neighbouring labels. */
const GUTTER = 4;
/** A bar must be wide enough for its value written upwards. */
const NARROWEST_BAR = 15;
const WIDEST_BAR = 92;
const LARGEST_GROUP = 0.86;

export interface LegendItem {
  readonly x: number;
  readonly row: number;
  readonly text: string;
  /** Index of the series, or what else the item is the key to. */
  readonly key: number | 'hatched' | 'reference';
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly title: readonly string[];
  readonly subtitle: readonly string[];
  readonly legend: readonly LegendItem[];
  readonly legendRows: number;
  readonly notes: readonly string[];
  readonly header: number;
  readonly footer: number;
  readonly scaleWidth: number;
  /** Share of a category's width that its bars take. */
  readonly groupShare: number;
  /** Values written upwards, because they are wider than the bars. */
  readonly upright: boolean;
  /** Upper end of the value axis: the label of the tallest bar fits under it. */
  readonly top: number;
}

const HATCH_KEY = 'crossed out: measured, but the engine does not compute what the reference computes';

/** What stands over a bar, lowest line first; written upwards it is one line. */
export function barText({ value, speedup }: Bar, { formatValue }: Figure, upright: boolean): string[] {
  if (speedup === null) return [formatValue(value)];
  return upright ? [`${formatValue(value)}  (${speedup})`] : [formatValue(value), speedup];
}

type Bar = Extract<Mark, { kind: 'bar' }>;

const bars = ({ series }: Figure): Bar[] =>
  series.flatMap(({ marks }) => marks.flatMap((mark) => (mark.kind === 'bar' ? mark : [])));

const widest = (figure: Figure, upright: boolean): number =>
  Math.max(
    ...bars(figure).flatMap((bar) =>
      // Semi-bold is the wider of the two fonts.
      barText(bar, figure, upright).map((text) => textWidth(text, upright ? STYLE.value : STYLE.speedup)),
    ),
  );

/** Width that a category cannot go below without text on text. */
function leastCategoryWidth({ categories, series }: Figure): number {
  const label = Math.max(
    ...categories.flatMap(({ label }) => label.map((line) => textWidth(line, STYLE.axis))),
  );
  const members = new Map<string, number>();
  for (const { group } of categories) members.set(group, (members.get(group) ?? 0) + 1);
  const heading = Math.max(
    ...[...members].map(([group, count]) => (textWidth(group, STYLE.group) + 14) / count),
  );
  return Math.max(label + 10, heading, (series.length * NARROWEST_BAR) / LARGEST_GROUP);
}

/** Categories that fit into one image side by side. */
export const mostCategories = (figure: Figure): number =>
  Math.max(1, Math.floor((WIDEST - 2 * MARGIN - SCALE_WIDTH) / leastCategoryWidth(figure)));

export function layOut(figure: Figure): Layout {
  const { categories, series } = figure;
  const comfortable = Math.max(leastCategoryWidth(figure), series.length * 36 + 20);
  const wanted = categories.length * comfortable + 2 * MARGIN + SCALE_WIDTH;
  const least = categories.length * leastCategoryWidth(figure) + 2 * MARGIN + SCALE_WIDTH;
  // Steps of 40 pixels, so that many figures share one size and with it one canvas.
  const width = Math.max(NARROWEST, Math.ceil(Math.max(least, Math.min(wanted, WIDEST)) / 40) * 40);
  const inner = width - 2 * MARGIN;

  const categoryWidth = (inner - SCALE_WIDTH) / categories.length;
  const groupShare = Math.min(LARGEST_GROUP, (series.length * WIDEST_BAR) / categoryWidth);
  const barWidth = (categoryWidth * groupShare) / series.length;
  const upright = widest(figure, false) > barWidth - GUTTER;
  const lines = bars(figure).some(({ speedup }) => speedup !== null) ? 2 : 1;
  const labelRoom = (upright ? widest(figure, true) : lines * LINE.value) + 12;

  const title = wrap(printable(figure.title), STYLE.title, inner);
  const subtitle = wrap(printable(figure.subtitle), STYLE.subtitle, inner);
  const { items, rows } = legend(figure, inner);
  const notes = figure.notes.flatMap((note) => wrap(printable(note), STYLE.note, inner));
  const header =
    MARGIN + title.length * LINE.title + subtitle.length * LINE.subtitle + 10 + rows * LINE.legend + 12;
  const tickLines = Math.max(...categories.map(({ label }) => label.length));
  const footer = GROUP_BAND + (tickLines - 1) * 2 + notes.length * LINE.note + MARGIN;
  return {
    width,
    height: Math.ceil((header + PLOT_HEIGHT + tickLines * TICK_SIZE * 1.2 + footer) / 20) * 20,
    title,
    subtitle,
    legend: items,
    legendRows: rows,
    notes,
    header,
    footer,
    scaleWidth: SCALE_WIDTH,
    groupShare,
    upright,
    top: largest(figure) * (PLOT_HEIGHT / (PLOT_HEIGHT - labelRoom)),
  };
}

export const SWATCH = 14;
const SWATCH_GAP = 6;
const ITEM_GAP = 20;

function legend({ series, reference }: Figure, width: number): { items: LegendItem[]; rows: number } {
  const hatched = series.some(
    ({ imported, marks }) => !imported && marks.some((mark) => mark.kind === 'bar' && mark.hatched),
  );
  const entries: Pick<LegendItem, 'key' | 'text'>[] = [
    ...series.map(({ name }, key) => ({ key, text: printable(name) })),
    ...(reference === null ? [] : [{ key: 'reference' as const, text: printable(reference.label) }]),
    ...(hatched ? [{ key: 'hatched' as const, text: HATCH_KEY }] : []),
  ];
  const items: LegendItem[] = [];
  let x = 0;
  let row = 0;
  for (const { key, text: whole } of entries) {
    const text = cutToWidth(whole, STYLE.legend, width - SWATCH - SWATCH_GAP);
    const needed = SWATCH + SWATCH_GAP + textWidth(text, STYLE.legend);
    if (x > 0 && x + needed > width) {
      x = 0;
      row++;
    }
    items.push({ x, row, text, key });
    x += needed + ITEM_GAP;
  }
  return { items, rows: row + 1 };
}

/** Largest value that a figure draws, error bars included. */
function largest(figure: Figure): number {
  const values = bars(figure).map(({ value, interval }) => Math.max(value, interval?.[1] ?? 0));
  return Math.max(...values, figure.reference?.value ?? 0);
}

/** Parts of a figure that is too wide for one image, cut between groups where possible; parts without a bar are left out. */
export function split(figure: Figure): Figure[] {
  const most = mostCategories(figure);
  if (figure.categories.length <= most) return [figure];
  const cuts = cutPoints(figure, most);
  const parts = cuts
    .map((start, i) => slice(figure, start, cuts[i + 1] ?? figure.categories.length))
    .filter(hasBars);
  return parts.map((part, i) => ({
    ...part,
    stem: parts.length === 1 ? part.stem : `${part.stem}-${i + 1}of${parts.length}`,
    title: parts.length === 1 ? part.title : `${part.title} (${i + 1} of ${parts.length})`,
    notes:
      parts.length === 1 ? part.notes : [...part.notes, 'The parts of this chart have different scales.'],
  }));
}

/** Where parts begin: at the start of a group, or inside one that alone is too wide, which is divided evenly. */
function cutPoints({ categories }: Figure, most: number): number[] {
  const sizes = [...groupBy(categories, ({ group }) => group).values()].map(({ length }) => length);
  const cuts = [0];
  let start = 0;
  for (const size of sizes) {
    if (start + size - cuts.at(-1)! > most && start > cuts.at(-1)!) cuts.push(start);
    const pieces = Math.ceil(size / most);
    const piece = Math.ceil(size / pieces);
    for (let at = piece; at < size; at += piece) cuts.push(start + at);
    start += size;
  }
  return cuts;
}

const slice = (figure: Figure, start: number, end: number): Figure => ({
  ...figure,
  categories: figure.categories.slice(start, end),
  series: figure.series.map((series) => ({ ...series, marks: series.marks.slice(start, end) })),
});
