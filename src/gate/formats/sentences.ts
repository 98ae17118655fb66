import { formatPercent } from '../../units.ts';
import type { GateReport } from '../model.ts';
import { VERDICT_TITLE } from './names.ts';

/** "regression: 1 of 8 comparisons; candidate b against baseline a" */
export function verdictSentence({ verdict, rows, baseline, candidate }: GateReport): string {
  const count = rows.filter((row) => row.verdict === verdict).length;
  return `${VERDICT_TITLE[verdict]}: ${count} of ${rows.length} comparisons (${candidate} against ${baseline})`;
}

/** What the gate could and could not see. */
export function powerSentences(report: GateReport): string[] {
  const { mode, pairs, pairsReason, smallestFindable } = report;
  if (mode === 'stored') {
    return [
      'Unpaired: the two sides were not measured together, so whatever changed in between is in the figures.',
    ];
  }
  const found =
    smallestFindable === null
      ? 'This run has too few pairs to be sure of finding any slowdown.'
      : `The smallest slowdown that this run would have found in every comparison (95 % power): ${formatPercent(smallestFindable - 1)}.`;
  return [
    `${pairs} pairs a cell${pairsReason === null ? '' : ` (${pairsReason})`}, twice as many for what looked slow or unclear.`,
    found,
  ];
}
