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

/** For what is held to the same tolerances: each figure's largest value, where it was seen, and what follows of it. */
export function propose(records, engines) {
  const metaOf = ({ engine }) => engines.get(engine).meta;
  const isCoarse = (record) =>
    record.precision === 'fp32' && metaOf(record).coarseFp32?.activation === record.activation;
  const classes = groupBy(records, (record) => `${record.precision}${isCoarse(record) ? ', coarse' : ''}`);
  return [...classes].flatMap(([heldTo, members]) => {
    const { precision, activation } = members[0];
    const tolerances = tolerancesFor(metaOf(members[0]), precision, activation);
    return FIGURES.map((figure) => {
      const worst = members.reduce((most, next) =>
        next.figures[figure] > most.figures[figure] ? next : most,
      );
      const seen = worst.figures[figure];
      return { heldTo, figure, seen, in: worst, least: ROOM * seen, inForce: tolerances[figure] };
    });
  });
}
