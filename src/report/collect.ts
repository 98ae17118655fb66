import { type Cell, cellKey, sessionKey } from '../schema/cell.ts';
import type {
  EndRecord,
  OutcomeRecord,
  ParityRecord,
  PreparationRecord,
  SessionRecord,
  VerificationRecord,
} from '../schema/record.ts';
import { type TimeUse, timeUse } from '../stats/harness.ts';
import type { SampleSummary, SummarisedRecord } from '../stats/run-summary.ts';
import type { RecordedSample } from './model.ts';

interface CellRecords {
  readonly samples: SampleSummary[];
  preparation: PreparationRecord | null;
  verification: VerificationRecord | null;
  outcome: OutcomeRecord | null;
}

interface SessionRecords {
  readonly loads: SessionRecord[];
  readonly parity: ParityRecord[];
}

/** Records by what they are about, in one pass. */
export interface Collected {
  /** By cellKey. */
  readonly cells: ReadonlyMap<string, CellRecords>;
  /** By sessionKey. */
  readonly sessions: ReadonlyMap<string, SessionRecords>;
  /** Of all attempts that came to their end. */
  readonly time: TimeUse | null;
}

/** A later record of the same thing replaces an earlier one: a resumed run repeats what was not finished. */
export function collect(records: readonly SummarisedRecord[]): Collected {
  const cells = new Map<string, CellRecords>();
  const sessions = new Map<string, SessionRecords>();
  const ends: EndRecord[] = [];

  const ofCell = (cell: Cell): CellRecords => {
    const key = cellKey(cell);
    let found = cells.get(key);
    if (!found) {
      found = { samples: [], preparation: null, verification: null, outcome: null };
      cells.set(key, found);
    }
    return found;
  };
  const ofSession = (session: Parameters<typeof sessionKey>[0]): SessionRecords => {
    const key = sessionKey(session);
    let found = sessions.get(key);
    if (!found) {
      found = { loads: [], parity: [] };
      sessions.set(key, found);
    }
    return found;
  };

  for (const record of records) {
    switch (record.kind) {
      case 'session':
        ofSession(record).loads.push(record);
        break;
      case 'parity':
        ofSession(record).parity.push(record);
        break;
      case 'preparation':
        ofCell(record.cell).preparation = record;
        break;
      case 'sample':
        ofCell(record.cell).samples.push(record);
        break;
      case 'verification':
        ofCell(record.cell).verification = record;
        break;
      case 'outcome':
        ofCell(record.cell).outcome = record;
        break;
      case 'end':
        ends.push(record);
        break;
      case 'imported':
        // Another tool's figure makes a row of its own: see imported.ts.
        break;
    }
  }
  return { cells, sessions, time: timeUse(ends) };
}

/** In order of rounds; of two samples of one round the later counts. */
export function markUsed(samples: readonly SampleSummary[]): RecordedSample[] {
  const last = new Map(samples.map((sample) => [sample.round, sample]));
  return samples
    .map((record) => ({ record, used: last.get(record.round) === record }))
    .sort((a, b) => a.record.round - b.record.round);
}

/**
 * What is known of a cell's parity: one mismatch of its session is enough, in whatever batch; otherwise a check of a batch
 * like the cell's own, ragged or not.
 */
export function judgeParity(records: readonly ParityRecord[], cell: Cell): ParityRecord | null {
  const ragged = cell.promptLength.spread > 0 && cell.batchSize > 1;
  const own = records.filter(({ promptLength }) => promptLength.spread > 0 === ragged);
  const said = (verdict: ParityRecord['verdict']) => own.findLast((record) => record.verdict === verdict);
  const mismatch = records.findLast(({ verdict }) => verdict === 'mismatch');
  return mismatch ?? said('match') ?? said('unchecked') ?? null;
}
