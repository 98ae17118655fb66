import { fillOf, PALETTE } from '../../report/charts/palette.ts';
import { DOT_FORMS, type DotForm } from './scene.ts';

/** Trends are drawn on paper: one picture serves the page, a CI summary and a print. */
export const INK = PALETTE.light;

/** How an engine's line looks: a colour, a form of its dots, and after one turn through the colours dashes. */
export interface Ink {
  readonly colour: string;
  readonly form: DotForm;
  readonly dash: readonly number[] | null;
}

export const inkOf = (index: number): Ink => ({
  colour: fillOf(index, INK).edge,
  form: DOT_FORMS[index % DOT_FORMS.length]!,
  dash: index >= INK.series.length ? [5, 3] : null,
});
