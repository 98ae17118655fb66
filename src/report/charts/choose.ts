import type { Report } from '../model.ts';
import type { Figure } from './figure.ts';
import { CHARTS } from './index.ts';
import { split } from './layout.ts';

/** Images that a report draws: more are not looked at, and take minutes. */
const MOST_FIGURES = 100;

/**
 * All figures of a report, wide ones in parts, each with a file name of its own. Where they are too many, first parts
 * go before second ones, so that every model and phase is seen.
 */
export function chooseFigures(report: Report, most = MOST_FIGURES): { figures: Figure[]; leftOut: number } {
  const parts = Object.values(CHARTS)
    .flatMap((chart) => chart.figures(report))
    .flatMap((figure, order) => split(figure).map((part, index) => ({ part, index, order })));
  const chosen = [...parts]
    .sort((a, b) => a.index - b.index || a.order - b.order)
    .slice(0, most)
    .sort((a, b) => a.order - b.order || a.index - b.index);
  return { figures: withOwnNames(chosen.map(({ part }) => part)), leftOut: parts.length - chosen.length };
}

/** Two figures whose names happen to join to the same text get a number. */
function withOwnNames(figures: readonly Figure[]): Figure[] {
  const taken = new Set<string>();
  return figures.map((figure) => {
    let stem = figure.stem;
    for (let copy = 2; taken.has(stem); copy++) stem = `${figure.stem}-${copy}`;
    taken.add(stem);
    return { ...figure, stem };
  });
}
