import { fillOf, PALETTE } from '../../report/charts/palette.ts';

/** Trends are drawn on paper: one picture serves the page, a CI summary and a print. */
export const INK = PALETTE.light;

/** How an engine's line looks: a colour, and after one turn through the colours dashes. */
export interface Ink {
  readonly colour: string;
  readonly dash: readonly number[] | null;
}

export const inkOf = (index: number): Ink => ({
  colour: fillOf(index, INK).edge,
  dash: index >= INK.series.length ? [5, 3] : null,
});
