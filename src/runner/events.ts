import type { Cell } from '../schema/cell.ts';
import type { ParityRecord, Run } from '../schema/record.ts';
import type { Status } from '../schema/vocabulary.ts';

/** What a run tells whoever watches; nothing here is stored. */
export type RunEvent =
  | { type: 'message'; text: string }
  | { type: 'loading'; session: string }
  | { type: 'parity'; record: ParityRecord }
  | { type: 'stage'; cell: Cell; stage: 'preparing' | 'warming up' }
  | { type: 'round'; cell: Cell; round: number; rounds: number }
  | { type: 'sample'; cell: Cell; runs: readonly Run[]; promptTokens: number }
  | { type: 'outcome'; cell: Cell; status: Status; reason: string | null };

export type OnEvent = (event: RunEvent) => void;
