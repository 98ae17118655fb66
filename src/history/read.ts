import { collect, judgeParity } from '../report/collect.ts';
import { groupBy } from '../report/group-by.ts';
import { machineName } from '../report/machines.ts';
import type { CellRow } from '../report/model.ts';
import { cellRows } from '../report/rows.ts';
import { readManifest, readRecords } from '../results/reader.ts';
import { cellKey, sessionKey } from '../schema/cell.ts';
import type { Manifest } from '../schema/manifest.ts';

import type { Phase } from '../schema/vocabulary.ts';
import { PHASE_RATE } from '../stats/rates.ts';
import { type SummarisedRecord, sampleSummariser } from '../stats/run-summary.ts';
import { cellFacts, machineOf, runFacts } from './facts.ts';
import type { FoundRun } from './find.ts';
import type { Facts, HistoryRun, RunCell } from './model.ts';

/** One object for all cells with the same facts: a year of nights holds each set once. */
export class FactsPool {
  readonly #known = new Map<string, Facts>();

  share(facts: Facts): Facts {
    const key = JSON.stringify(facts);
    const known = this.#known.get(key);
    if (known) return known;
    this.#known.set(key, facts);
    return facts;
  }
}

/** One point in time, and what the reader had to say of its files. */
export async function readRun(
  { folders, side }: FoundRun,
  pool: FactsPool,
): Promise<{ run: HistoryRun; warnings: string[] }> {
  const parts: Part[] = [];
  for (const folder of folders) parts.push(await readPart(folder, pool));
  const { manifest } = parts[0]!;
  const cells = groupBy(
    parts.flatMap((part) => part.cells),
    ({ cell }) => cellKey(cell),
  );
  return {
    run: {
      id: manifest.runId,
      at: manifest.createdAt,
      folder: folders[0]!,
      side,
      machine: machineOf(manifest),
      parity: manifest.parity || manifest.imported === true,
      cells: [...cells.values()].map(merge),
    },
    warnings: parts.flatMap(({ warnings }, index) => warnings.map((text) => `${folders[index]}: ${text}`)),
  };
}

/** Folders of one gate in turns: each has one round of the cell. What failed once has failed. */
function merge(parts: readonly RunCell[]): RunCell {
  const told = parts.find(({ status }) => status !== 'ok') ?? parts[0]!;
  const rates = (phase: Phase) => (told.status === 'ok' ? parts.flatMap((part) => part.rates[phase]) : []);
  return {
    ...told,
    rates: { prefill: rates('prefill'), decode: rates('decode') },
    flags: [...new Set(parts.flatMap(({ flags }) => flags))],
  };
}

interface Part {
  readonly manifest: Manifest;
  readonly cells: readonly RunCell[];
  readonly warnings: readonly string[];
}

/**
 * One results folder. Each cell is judged as a report judges it, at once when its last record is read, and its raw times
 * are let go: what is in memory is the records of the cells that are measured at the same time.
 */
async function readPart(folder: string, pool: FactsPool): Promise<Part> {
  const manifest = await readManifest(folder);
  const planned = new Map(manifest.cells.map((entry) => [cellKey(entry.cell), entry]));
  const ofRun = runFacts(manifest);
  const sessions: SummarisedRecord[] = [];
  const open = new Map<string, SummarisedRecord[]>();
  const judged = new Map<string, RunCell>();
  let interrupted = true;
  const place = { machine: machineName(manifest.environment), run: null, label: null };

  const judge = (key: string, records: readonly SummarisedRecord[]): void => {
    const entry = planned.get(key);
    if (entry === undefined) return;
    const run = { ...place, manifest: { ...manifest, cells: [entry] }, interrupted, time: null };
    const [row] = cellRows(run, collect([...sessions, ...records]));
    judged.set(
      key,
      reduce(row!, manifest, (facts) => pool.share({ ...ofRun, ...facts })),
    );
  };
  const summarise = sampleSummariser();
  const { warnings } = await readRecords(folder, (raw) => {
    const record = raw.kind === 'sample' ? summarise(raw) : raw;
    switch (record.kind) {
      case 'session':
      case 'parity':
        sessions.push(record);
        break;
      case 'preparation':
        open.set(cellKey(record.cell), [record]);
        break;
      case 'sample':
      case 'verification': {
        const key = cellKey(record.cell);
        const records = open.get(key);
        if (records) records.push(record);
        else open.set(key, [record]);
        break;
      }
      case 'outcome': {
        const key = cellKey(record.cell);
        judge(key, [...(open.get(key) ?? []), record]);
        open.delete(key);
        break;
      }
      case 'end':
        interrupted = record.interrupted;
        break;
    }
  });
  for (const key of planned.keys()) {
    if (open.has(key) || !judged.has(key)) judge(key, open.get(key) ?? []);
  }
  const cells = [...planned.keys()].map((key) => withLateMismatch(judged.get(key)!, sessions));
  return { manifest, cells, warnings };
}

/** A resumed run checks parity anew: what it finds holds for the cells that were finished before, too. */
function withLateMismatch(cell: RunCell, sessions: readonly SummarisedRecord[]): RunCell {
  if (cell.status !== 'ok') return cell;
  const own = sessions.filter((record) => record.kind === 'parity');
  const checks = own.filter((record) => sessionKey(record) === sessionKey(cell.cell));
  const verdict = judgeParity(checks, cell.cell);
  if (verdict?.verdict !== 'mismatch') return cell;
  const rates = { prefill: [], decode: [] };
  return { ...cell, status: 'mismatch', reason: verdict.reason ?? 'parity mismatch', rates };
}

function reduce(row: CellRow, manifest: Manifest, share: (facts: Facts) => Facts): RunCell {
  const model = manifest.models.find(({ name }) => name === row.cell.model);
  const rounds = row.status === 'ok' ? (row.measured?.rounds ?? []) : [];
  const rates = (phase: Phase) => rounds.map((round) => round.rates[PHASE_RATE[phase]]);
  return {
    cell: row.cell,
    engineTitle: row.engineTitle,
    modelTitle: row.modelTitle,
    modelIdentity: model ? JSON.stringify([model.parameters, model.layers, model.origin]) : '',
    status: row.status,
    reason: row.reason,
    rates: { prefill: rates('prefill'), decode: rates('decode') },
    flags: [...new Set(row.flags.map(({ name }) => name))],
    facts: share(cellFacts(row, manifest)),
  };
}
