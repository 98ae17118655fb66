import type { Figure, Mark } from '../charts/figure.ts';
import { CHARTS } from '../charts/index.ts';
import { PALETTE, PATTERNS, type Theme, type ThemeName } from '../charts/palette.ts';
import { type Report, rowKey } from '../model.ts';
import { resultColumns } from './columns.ts';
import { type Facets, facetsOf } from './facets.ts';

/**
 * What the page's script draws and lists, as JSON in the page. Figures hold no text that rows hold, and numbers have the
 * digits that a screen can show: the page of ten thousand cells stays a few megabytes.
 */
export interface PageData {
  readonly facets: readonly { readonly name: string; readonly values: readonly string[] }[];
  readonly columns: readonly { readonly title: string; readonly numeric: boolean; readonly phase: number }[];
  /** Texts that rows refer to. */
  readonly texts: readonly string[];
  readonly rows: readonly PageRow[];
  readonly figures: readonly PageFigure[];
  readonly themes: Readonly<Record<ThemeName, Theme>>;
  readonly patterns: readonly string[];
}

/** `f`: index of the row's value in each facet of cells. `c`: the columns' texts, as indices into `texts`. */
export interface PageRow {
  readonly f: readonly number[];
  readonly c: readonly number[];
}

export interface PageFigure {
  readonly title: string;
  readonly subtitle: string;
  readonly axis: string;
  /** Values of the facets that all its bars share, by name. */
  readonly facets: Readonly<Record<string, number>>;
  readonly kind: string;
  /** Group, then the lines of the label. */
  readonly categories: readonly (readonly string[])[];
  readonly series: readonly PageSeries[];
  readonly reference: Figure['reference'];
  readonly unit: Figure['unit'];
  readonly notes: readonly string[];
}

export interface PageSeries {
  readonly name: string;
  /** Index into the facet "engine". */
  readonly engine: number;
  readonly colour: number;
  /** Another tool's figures: crossed out, and so is their key. */
  readonly imported: boolean;
  readonly marks: readonly PageMark[];
}

/** Label, value, low, high, speedup, index of its row, 1 when crossed out; or the letter of a gap. */
export type PageMark =
  | readonly [string, number, number | null, number | null, string | null, number, 0 | 1]
  | string;

export function pageData(report: Report): PageData {
  const facets = facetsOf(report);
  const columns = resultColumns(report);
  const texts = new Map<string, number>();
  const textIndex = (text: string): number => {
    const known = texts.get(text);
    if (known !== undefined) return known;
    texts.set(text, texts.size);
    return texts.size - 1;
  };
  const rows = report.rows.map((row) => ({
    f: Object.values(facets.of(row.cell)),
    c: columns.map((column) => textIndex(column.text(row))),
  }));
  const places = new Map(report.rows.map((row, index) => [rowKey(row), index]));
  return {
    facets: facets.all.map(({ name, values }) => ({ name, values })),
    columns: columns.map(({ title, numeric, phase }) => ({
      title,
      numeric,
      phase: phase === null ? -1 : facets.phase(phase),
    })),
    texts: [...texts.keys()],
    rows,
    figures: Object.values(CHARTS)
      .flatMap((chart) => chart.figures(report))
      .map((figure) => pageFigure(figure, facets, places)),
    themes: PALETTE,
    patterns: PATTERNS,
  };
}

function pageFigure(figure: Figure, facets: Facets, places: ReadonlyMap<string, number>): PageFigure {
  const { precision, device, phase, kind } = figure.facets;
  const indices = (engine: string) => facets.of({ model: figure.model, precision, device, engine });
  const { model, precision: own, device: on } = indices('');
  return {
    title: figure.title,
    subtitle: figure.subtitle,
    axis: figure.axisTitle,
    facets: { model: model!, precision: own!, device: on!, phase: facets.phase(phase) },
    kind,
    categories: figure.categories.map(({ group, label }) => [group, ...label]),
    series: figure.series.map(({ engine, name, colour, imported = false, marks }) => ({
      name,
      engine: indices(engine).engine!,
      colour,
      imported,
      marks: marks.map((mark) => pageMark(mark, figure, places)),
    })),
    reference: figure.reference,
    unit: figure.unit,
    notes: figure.notes,
  };
}

function pageMark(mark: Mark, figure: Figure, places: ReadonlyMap<string, number>): PageMark {
  if (mark.kind === 'gap') return mark.letter;
  const [low, high] = mark.interval ?? [null, null];
  return [
    figure.formatValue(mark.value),
    short(mark.value),
    low === null ? null : short(low),
    high === null ? null : short(high),
    mark.speedup,
    places.get(mark.row)!,
    mark.hatched ? 1 : 0,
  ];
}

/** Five digits are finer than a pixel. */
const short = (value: number): number => Number(value.toPrecision(5));
