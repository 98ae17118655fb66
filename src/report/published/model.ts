import type { Published, PublishedClaim, PublishedSystem } from '../../schema/published.ts';
import type { Phase, Precision } from '../../schema/vocabulary.ts';
import type { Interval, Parity, SpeedupRow } from '../model.ts';

/** What keeps a published and a measured figure from being like for like; a closed list, in the order of the report. */
export const DIFFERENCE_KINDS = [
  'hardware',
  'weights',
  'layers',
  'precision',
  'baseline',
  'versions',
  'grid',
  'generate',
  'phase',
  'prompts',
  'parity',
] as const;
export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

export interface Difference {
  readonly kind: DifferenceKind;
  /** Both sides in words, for example "layers: 2 of 32 here". */
  readonly text: string;
}

/** What this run measured of a claim: only cells with a speedup count. */
export interface MeasuredClaim {
  readonly model: string;
  readonly modelTitle: string;
  readonly engineTitle: string;
  readonly precision: Precision;
  readonly baseline: SpeedupRow['baseline'];
  /** Geometric mean over `compared` cells. */
  readonly average: number;
  /** 95 % of it; null with fewer than six common rounds. */
  readonly interval: Interval | null;
  readonly lowest: SpeedupRow;
  readonly highest: SpeedupRow;
  /** Cells of the claim's batch sizes with a speedup, of all such cells of the sweep. */
  readonly compared: number;
  readonly cells: number;
  /** The very cell that the claim names, where this run has it. */
  readonly namedCell: SpeedupRow | null;
  readonly parity: Parity;
}

/** One published figure beside what was measured of it. Either `measured` or `reason` is there. */
export interface PublishedRow {
  readonly source: Published['source'];
  readonly system: Omit<PublishedSystem, 'claims'>;
  /** null: the source names the model without any figure. */
  readonly claim: PublishedClaim | null;
  /** The phase of the measured figure; a claim that names none is beside both. */
  readonly phase: Phase | null;
  readonly measured: MeasuredClaim | null;
  /** Why nothing of it was measured. */
  readonly reason: string | null;
  /** Empty only where nothing is known to differ. */
  readonly differences: readonly Difference[];
}
