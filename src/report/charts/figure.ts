import type { Interval, Report } from '../model.ts';

/** What a chart shows, before anything is drawn: plain data, so that it can be tested without a canvas. */
export interface Figure {
  /** Name of the model that it belongs to, for the headline. */
  readonly model: string;
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
  /** Round numbers of the value axis; as ratios where there is a reference unless given. */
  readonly formatTick?: (value: number) => string;
  /** Printed under the chart: what the gaps are, hardware, versions, model, method. */
  readonly notes: readonly string[];
}

export interface Category {
  /** Neighbours with the same group share a heading, for example "batch 4". */
  readonly group: string;
  /** One line an entry. */
  readonly label: readonly string[];
}

export interface Series {
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
