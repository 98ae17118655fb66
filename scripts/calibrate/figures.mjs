// From parity records to distributions and to the least tolerances that the rule of docs/parity.md allows.
const { tolerancesFor } = await import('../../dist/runner/parity/tolerance.js');

/** The figures that have a tolerance and are small for rounding. */
export const FIGURES = ['normalisedError', 'systematicError', 'meanKlDivergence'];
/** An engine that computes the same must not be accused: how far its largest figure stays below the tolerance. */
export const ROOM = 2.5;

export const largest = (values) => values.reduce((most, value) => Math.max(most, value), 0);

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length / 2) - 1];
}

/** A map from `key(item)` to the items with it, in the order in which keys first come. */
export function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

/**
 * For what is held to the same tolerances: each figure's largest value, where it was seen, and what follows of it. Depths
 * are compared as the tolerances compare them: a figure stands for the one of a model of two layers.
 */
export function propose(records, engines, shapes) {
  const metaOf = ({ engine }) => engines.get(engine).meta;
  const shapeOf = ({ model }) => shapes.get(model);
  const isCoarse = (record) =>
    record.precision === 'fp32' && metaOf(record).coarseFp32?.activation === shapeOf(record).activation;
  const classes = groupBy(records, (record) => `${record.precision}${isCoarse(record) ? ', coarse' : ''}`);
  return [...classes].flatMap(([heldTo, members]) => {
    const tolerances = (record, layers) =>
      tolerancesFor(metaOf(record), record.precision, { ...shapeOf(record), layers });
    return FIGURES.map((figure) => {
      const used = (record) => record.figures[figure] / tolerances(record, shapeOf(record).layers)[figure];
      const worst = members.reduce((most, next) => (used(next) > used(most) ? next : most));
      const inForce = tolerances(worst, 2)[figure];
      const seen = used(worst) * inForce;
      return { heldTo, figure, seen, in: worst, least: ROOM * seen, inForce };
    });
  });
}
