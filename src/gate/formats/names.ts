import type { GateReport, GateRow } from '../model.ts';

/** What other tools keep a history by: the cell and its phase. */
export const benchmarkName = ({ id, phase }: GateRow): string => `${id} ${phase}`;

export const VERDICT_TITLE: Readonly<Record<GateReport['verdict'], string>> = {
  ok: 'no regression',
  regression: 'regression',
  inconclusive: 'inconclusive',
  failed: 'cells failed or are missing',
};

/** Worst first, and in the order of the sweep otherwise. */
export function worstFirst(rows: readonly GateRow[]): GateRow[] {
  const order: readonly GateRow['verdict'][] = ['regression', 'failed', 'inconclusive', 'ok'];
  return [...rows].sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
}
