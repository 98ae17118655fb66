import type { Cell } from '../schema/cell.ts';
import type { Manifest } from '../schema/manifest.ts';
import type { Effective } from '../schema/protocol.ts';
import type { PreparationRecord } from '../schema/record.ts';
import type { Status } from '../schema/vocabulary.ts';
import type { Flag } from '../stats/flags.ts';
import { cellViolations } from '../stats/identities.ts';
import { medianThroughputs, throughputs } from '../stats/rates.ts';
import { type CellWork, rooflineViolations, storageAsRun } from '../stats/roofline.ts';
import type { SampleSummary } from '../stats/run-summary.ts';

/** What a cell's bytes and operations follow from; null for engines without weights and runs that did not record it. */
export function cellWork(
  { models, engines }: Manifest,
  cell: Cell,
  { promptTokens }: Pick<PreparationRecord, 'promptTokens'>,
  effective: Effective,
): CellWork | null {
  const shape = models.find(({ name }) => name === cell.model)?.shape;
  const storage = engines.find(({ name }) => name === cell.engine)?.storage?.[cell.precision];
  if (shape === undefined || storage === undefined) return null;
  const { batchSize, generate, precision } = cell;
  return { batchSize, generate, precision, promptTokens, shape, storage: storageAsRun(storage, effective) };
}

/** Statuses of cells that ran all their rounds. */
const RAN: ReadonlySet<Status> = new Set<Status>(['ok', 'mismatch', 'invalid']);

/** The flags of times that cannot be true on the machine; none where records do not hold, and say no rate either. */
export function implausible(
  manifest: Manifest,
  cell: Cell,
  status: Status,
  recorded: {
    readonly preparation: PreparationRecord | null;
    readonly samples: readonly SampleSummary[];
    readonly work: CellWork | null;
  },
): Flag[] {
  const { preparation, samples, work } = recorded;
  const roofline = manifest.environment.roofline ?? null;
  if (work === null || preparation === null || roofline === null || !RAN.has(status)) return [];
  if (cellViolations(cell, preparation, samples).length > 0) return [];
  const rates = medianThroughputs(samples.map(({ runs }) => throughputs(work, runs)));
  return rooflineViolations(work, rates, roofline).map(({ phase, detail }) => ({
    name: 'implausible',
    phase,
    detail,
  }));
}
