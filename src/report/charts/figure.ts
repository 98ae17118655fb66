import type { Cell } from '../../schema/cell.ts';
import type { Phase } from '../../schema/vocabulary.ts';
import type { Interval, Report } from '../model.ts';

/** What a chart shows, before anything is drawn: plain data, so that it can be tested without a canvas. */
export interface Figure {
  /** Name of the model that it belongs to, for the headline. */
  readonly model: string;
  /** What a reader can choose figures by, besides the model. */
  readonly facets: FigureFacets;
  /** File name without extension. */
  readonly stem: string;
  readonly title: string;
  /** What is measured, in which unit, and which way is better. */
  readonly subtitle: string;
  /** What the two tiers of the horizontal axis are. */
  readonly axisTitle: string;
  readonly categories: readonly Category[];
  readonly series: readonly Series[];
  /** A horizontal line, such as the baseline of speedups. */
  readonly reference: { readonly value: number; readonly label: string } | null;
  readonly formatValue: (value: number) => string;
  /** What values are: decides how the round numbers of the value axis are written. */
  readonly unit: Unit;
  /** Printed under the chart: what the gaps are, hardware, versions, model, method. */
  readonly notes: readonly string[];
}

export type Unit = 'tokens/s' | 'ratio' | 'share';

export interface FigureFacets {
  readonly precision: Cell['precision'];
  readonly device: Cell['device'];
  readonly phase: Phase;
  /** "Throughput" or "Speedup over X". */
  readonly kind: string;
}

export interface Category {
  /** Neighbours with the same group share a heading, for example "batch 4". */
  readonly group: string;
  /** One line an entry. */
  readonly label: readonly string[];
}

export interface Series {
  /** The sweep's name for the engine. */
  readonly engine: string;
  readonly name: string;
  /** Index in the palette; the same engine has the same in every chart of a report. */
  readonly colour: number;
  /** Another tool's figures, each by a count of its own: its swatch is hatched like its bars. */
  readonly imported?: boolean;
  /** One for each category. */
  readonly marks: readonly Mark[];
}

export type Mark =
  | {
      readonly kind: 'bar';
      readonly value: number;
      /** 95 %; drawn as an error bar. */
      readonly interval: Interval | null;
      /** Measured, but not the same computation, or not by us. */
      readonly hatched: boolean;
      /** Written over the value; null where there is none. */
      readonly speedup: string | null;
      /** Its row of the report (`rowKey`). */
      readonly row: string;
    }
  /** No value; the letter is explained in the notes. */
  | { readonly kind: 'gap'; readonly letter: string };

/** A kind of chart: a file in this folder and a line in index.ts. */
export interface Chart {
  /** All figures of a report; one without a single bar is left out. */
  figures(report: Report): Figure[];
}

export const hasBars = ({ series }: Pick<Figure, 'series'>): boolean =>
  series.some(({ marks }) => marks.some(({ kind }) => kind === 'bar'));
