import type { CellRow } from '../report/model.ts';
import type { CellPair, GateReport } from './model.ts';

/** Why nothing shows what one side of a cell computes; null where a check did, or where the engine loads no model. */
export function whyUnchecked(rows: readonly CellRow[]): string | null {
  // Of sides that are swept in turns the first turn alone is checked: the others load the same files.
  if (rows.some(({ parity }) => parity === 'match')) return null;
  const row = rows.find(({ session }) => session !== null && session.artefact !== null);
  return row === undefined ? null : (row.parityReason ?? 'no parity check was recorded');
}

/**
 * Why it is not shown that both sides compute the same; null when it is.
 * @param isOn false when a side was measured with `--no-parity`
 */
export function parityUnchecked(isOn: boolean, cells: readonly CellPair[]): string | null {
  if (!isOn) return '--no-parity';
  const reasons = cells.flatMap(({ unchecked }) => unchecked ?? []);
  return reasons.length === 0 ? null : `${reasons.length} of ${cells.length} cells: ${reasons[0]}`;
}

/** Two models may be what is compared; but then not unseen. */
export function weightWarnings(cells: readonly CellPair[]): string[] {
  const reasons = cells.flatMap(({ otherWeights }) => otherWeights ?? []);
  return reasons.length === 0 ? [] : [`${reasons.length} of ${cells.length} cells have ${reasons[0]}`];
}

/** The stamp on whatever is made of a gate without the check. */
export function paritySentence({ parityUnchecked }: Pick<GateReport, 'parityUnchecked'>): string | null {
  if (parityUnchecked === null) return null;
  return `Parity was not checked (${parityUnchecked}): nothing shows that both sides compute the same thing.`;
}
