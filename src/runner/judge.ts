import type { ParityRecord } from '../schema/record.ts';
import type { Status } from '../schema/vocabulary.ts';
import { cellViolations } from '../stats/identities.ts';
import type { CellRun } from './cell-run.ts';

/** The last word on a cell that ran all its rounds: do its records hold, and does its engine compute the same thing? */
export function judgeCell(
  run: CellRun,
  parity: ParityRecord | undefined,
): { status: Status; reason: string | null } {
  const violations = cellViolations(run.cell, run.work, run.samples);
  if (violations.length > 0) return { status: 'invalid', reason: violations.join('; ') };
  if (parity?.verdict === 'mismatch') return { status: 'mismatch', reason: parity.reason };
  return { status: 'ok', reason: null };
}
