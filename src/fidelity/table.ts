import { formatNumber, formatRatio, formatSignificant } from '../units.ts';
import { BUSY_CORES, type FidelityProblem, type FidelityRow } from './row.ts';

export const isBusy = ({ otherLoadCores }: FidelityRow): boolean => (otherLoadCores ?? 0) > BUSY_CORES;

/** One line on the terminal: cell, phase, ratio with its interval, the bar and whether it is met. */
export function formatRow(row: FidelityRow): string {
  const cell = `${row.engine} ${row.precision} b${row.batchSize} p${row.promptLength} ${row.phase}`;
  const against = `${interval(row)} of ${row.tool}`;
  const bar = row.bar === null ? '' : `, bar ${row.bar}: ${row.verdict}`;
  const notes = notesOf(row);
  return `${cell}: ${formatRatio(row.ratio)} ${against}${bar}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`;
}

export function interval({ low, high }: FidelityRow): string {
  return low === null || high === null
    ? '[no interval]'
    : `[${formatNumber(low, 3)}, ${formatNumber(high, 3)}]`;
}

/** Everything that a reader of the number must know. */
export function notesOf(row: FidelityRow): string[] {
  return [
    ...row.notes,
    ...(row.sameTokens === false ? ['other tokens'] : []),
    ...(isBusy(row) ? [`busy machine: ${formatSignificant(row.otherLoadCores ?? 0)} cores`] : []),
  ];
}

export function formatProblem(problem: FidelityProblem): string {
  const shape = problem.batchSize === null ? '' : ` b${problem.batchSize} p${problem.promptLength}`;
  const tool = problem.tool === null ? '' : ` with ${problem.tool}`;
  return `${problem.engine} ${problem.model} ${problem.precision}${shape}${tool}: ${problem.reason}`;
}
