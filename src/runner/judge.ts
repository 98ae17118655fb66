import type { Effective } from '../schema/protocol.ts';
import type { ParityRecord } from '../schema/record.ts';
import type { Status } from '../schema/vocabulary.ts';
import { cellViolations, placementViolations } from '../stats/identities.ts';
import { verificationViolations } from '../stats/verification.ts';
import type { CellRun } from './cell-run.ts';

/** The last word on a cell that ran all its rounds: do its records hold, and does its engine compute the same thing? */
export function judgeCell(
  run: CellRun,
  parity: readonly ParityRecord[],
  effective: Effective = {},
): { status: Status; reason: string | null } {
  const violations = cellViolations(run.cell, run.work, run.samples);
  violations.push(...placementViolations(run.cell, effective));
  if (run.verification !== null) {
    violations.push(...verificationViolations(run.cell, run.samples, run.verification));
  }
  // Rates are computed from records that hold.
  if (violations.length === 0) violations.push(...run.rooflineViolations());
  if (violations.length > 0) return { status: 'invalid', reason: violations.join('; ') };
  const mismatch = parity.find(({ verdict }) => verdict === 'mismatch');
  if (mismatch === undefined) return { status: 'ok', reason: null };
  const batch = mismatch.promptLength.spread > 0 ? 'in a ragged batch: ' : '';
  return { status: 'mismatch', reason: `${batch}${mismatch.reason}` };
}
