import type { CellPair } from '../../src/gate/model.ts';
import { pairCells } from '../../src/gate/pairs.ts';
import type { Report } from '../../src/report/model.ts';
import { summarise } from '../../src/report/summary.ts';
import type { Cell } from '../../src/schema/cell.ts';
import type { RunRecord } from '../../src/schema/record.ts';
import { type CellFault, makeInput } from '../report/fixtures.ts';

export const SIDES = {
  baseline: { engine: 'old', precision: null },
  candidate: { engine: 'new', precision: null },
} as const;

export interface GateFixture {
  /** The candidate's speed over the baseline's. */
  readonly speed?: readonly [prefill: number, decode: number];
  readonly rounds?: number;
  readonly noise?: number;
  readonly seed?: number;
  readonly fault?: (cell: Cell) => CellFault | null;
  readonly edit?: (record: RunRecord) => RunRecord;
  readonly verdict?: (cell: Cell) => 'match' | 'mismatch' | 'unchecked';
}

/** A sweep of two variants with known speeds, as the report stage reads it. */
export function reportOf({
  speed = [1, 1],
  rounds = 15,
  noise = 0.02,
  seed = 1,
  fault,
  verdict,
  edit,
}: GateFixture): Report {
  const input = makeInput({
    engines: [
      { name: 'old', title: 'Old', speed: [1, 1] },
      { name: 'new', title: 'New', speed },
    ],
    precisions: ['fp32'],
    rounds,
    noise,
    seed,
    generate: 16,
    baselines: [],
    ...(fault ? { fault } : {}),
    ...(verdict ? { verdict } : {}),
    ...(edit ? { edit } : {}),
  });
  return summarise(input);
}

export function pairsOf(fixture: GateFixture): {
  cells: CellPair[];
  leftOut: { id: string; reason: string }[];
} {
  const reports = [reportOf(fixture)];
  return pairCells({ variant: SIDES.baseline, reports }, { variant: SIDES.candidate, reports });
}
