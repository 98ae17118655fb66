import type { DefinitionId, ImportedRecord } from '../schema/imported.ts';
import type { Manifest } from '../schema/manifest.ts';
import { PHASES, type Phase } from '../schema/vocabulary.ts';
import { DEFINITIONS_OF_TOOLS } from '../stats/definitions.ts';
import { median } from '../stats/descriptive.ts';
import type { SummarisedRecord } from '../stats/run-summary.ts';
import { plural } from './describe.ts';
import type { CellRow, ImportedRow, ReportRun } from './model.ts';

const isImported = (record: SummarisedRecord): record is ImportedRecord => record.kind === 'imported';

/** A row for each figure of another tool. It has no rates of ours, so nothing that reads those can take it for one. */
export function importedRows(
  records: readonly SummarisedRecord[],
  manifest: Manifest,
  run: ReportRun,
): CellRow[] {
  return records.filter(isImported).map((record) => ({
    run,
    cell: record.cell,
    engineTitle: manifest.engines.find(({ name }) => name === record.cell.engine)?.title ?? record.tool,
    modelTitle: manifest.models.find(({ name }) => name === record.cell.model)?.title ?? record.cell.model,
    modelLayers: '',
    status: 'imported',
    reason: `printed by ${record.tool}: imported.csv has the figure and what it counts`,
    parity: 'unchecked',
    parityReason: 'imported',
    parityFigures: null,
    parityReference: null,
    measured: null,
    imported: record,
    samples: [],
    preparation: null,
    session: null,
    loadNs: null,
    flags: [],
  }));
}

/** Tokens per second of a figure in the chart of a phase; null where it belongs to another. */
export const importedRate = ({ imported }: CellRow, phase: Phase): number | null =>
  imported !== null && DEFINITIONS_OF_TOOLS[imported.definition].phase === phase && drawn(imported)
    ? imported.tokensPerSecond
    : null;

/** A prompt that is decoded behind another one is no cell of a sweep. */
const drawn = ({ settings, definition }: ImportedRecord): boolean =>
  definition !== 'llama-bench-pp' || (settings.n_depth ?? 0) === 0;

/** Each figure against each engine of ours with the same work on the same machine, counted alike; else why not. */
export function compareImported(rows: readonly CellRow[]): ImportedRow[] {
  const measured = rows.filter((row) => row.measured !== null);
  return rows.flatMap((row): ImportedRow[] => {
    const { imported } = row;
    if (imported === null) return [];
    const nothing = { row, imported, engine: null, engineTitle: null, ours: null, ratio: null };
    const near = measured.filter(
      ({ cell }) =>
        cell.model === row.cell.model &&
        cell.precision === row.cell.precision &&
        cell.device === row.cell.device,
    );
    if (near.length === 0) return [{ ...nothing, reason: missing(row) }];
    const here = near.filter(({ run }) => run.machine === row.run.machine);
    if (here.length === 0) return [{ ...nothing, reason: 'nothing was measured on the same machine' }];
    const same = here.filter(({ cell }) => sameWork(imported, cell));
    if (same.length === 0)
      return [{ ...nothing, reason: `no measured cell has its work: ${workOf(imported)}` }];
    return same.map((own) => ({
      ...nothing,
      engine: own.cell.engine,
      engineTitle: own.engineTitle,
      ...divide(imported, own),
    }));
  });
}

const missing = ({ cell }: CellRow): string =>
  `nothing was measured of ${cell.model} in ${cell.precision} on ${cell.device} (import --model says which of ours it is)`;

/** A count over the prompt alone does not depend on how much is generated after it. */
function sameWork({ cell, definition, settings }: ImportedRecord, own: CellRow['cell']): boolean {
  const { phase } = DEFINITIONS_OF_TOOLS[definition];
  if (own.batchSize !== cell.batchSize || own.promptLength.spread !== 0) return false;
  if (own.promptLength.length !== cell.promptLength.length) return false;
  if (phase !== 'decode' && (settings.n_depth ?? 0) !== 0) return false;
  return phase === 'prefill' || own.generate === cell.generate;
}

function workOf({ cell, definition, settings }: ImportedRecord): string {
  const { phase } = DEFINITIONS_OF_TOOLS[definition];
  const depth = phase === 'decode' ? 0 : Number(settings.n_depth ?? 0);
  const steps = phase === 'prefill' ? '' : `, ${plural(cell.generate - 1, 'decode step')}`;
  return `batch ${cell.batchSize}, prompt ${cell.promptLength.length}${depth > 0 ? ` behind ${depth} tokens` : ''}${steps}`;
}

function divide(imported: ImportedRecord, own: CellRow): Pick<ImportedRow, 'ours' | 'ratio' | 'reason'> {
  const { ours } = DEFINITIONS_OF_TOOLS[imported.definition];
  if (typeof ours === 'string') return { ours: null, ratio: null, reason: `not like for like: ${ours}` };
  const work = { ...own.cell, promptTokens: own.preparation!.promptTokens };
  const used = own.samples.filter((sample) => sample.used);
  const rate = median(used.map(({ record }) => ours(work, record.runs)));
  const without = (reason: string) => ({ ours: rate, ratio: null, reason });
  if (!Number.isFinite(rate)) {
    return { ours: null, ratio: null, reason: 'our own times do not tell what it counts' };
  }
  if (own.status !== 'ok') return without(`our cell is ${own.status}: ${own.reason}`);
  const { threads } = own.run.manifest;
  if (imported.threads === null) return without('the tool does not say how many threads it used');
  if (imported.threads !== threads) {
    return without(`${plural(imported.threads, 'thread')} against our ${threads}`);
  }
  return { ours: rate, ratio: rate / imported.tokensPerSecond, reason: null };
}

/** What each definition among the rows counts, for the notes under a chart and in the headline. */
export function definitionNotes(
  rows: readonly CellRow[],
  phases: readonly (Phase | null)[] = [...PHASES, null],
): string[] {
  const found = new Map<DefinitionId, string>();
  for (const { imported } of rows) {
    if (imported === null || !phases.includes(DEFINITIONS_OF_TOOLS[imported.definition].phase)) continue;
    found.set(imported.definition, imported.tool);
  }
  return [...found].map(
    ([id, tool]) => `Imported from ${tool}, tokens per second: ${DEFINITIONS_OF_TOOLS[id].counts}.`,
  );
}
