import { groupBy } from '../report/group-by.ts';
import { cellKey } from '../schema/cell.ts';
import { PHASES } from '../schema/vocabulary.ts';
import { median } from '../stats/descriptive.ts';
import { medianInterval } from '../stats/median-interval.ts';
import { changesOf } from './changes.ts';
import { findRuns } from './find.ts';
import type { History, HistoryRun, Line, Machine, Point, RunCell } from './model.ts';
import { FactsPool, readRun } from './read.ts';

/** A change smaller than the margin of the gate is none that anyone minds. */
export const LEAST_CHANGE = 0.02;

/**
 * The trend of every cell over the stored runs at or below the given folders. One run after the other is read.
 * @throws UserError where there are no results; InfrastructureError where they are damaged
 */
export async function readHistory(paths: readonly string[], least: number = LEAST_CHANGE): Promise<History> {
  const pool = new FactsPool();
  const runs = new Map<string, HistoryRun>();
  const warnings: string[] = [];
  for (const found of await findRuns(paths)) {
    const { run, warnings: said } = await readRun(found, pool);
    warnings.push(...said);
    // A copy of a results folder is the same night again.
    const key = JSON.stringify([run.id, run.at, run.side]);
    const earlier = runs.get(key);
    if (earlier) warnings.push(`${run.folder} is a copy of ${earlier.folder}: it counts once`);
    else runs.set(key, run);
  }
  return historyOf([...runs.values()], least, warnings);
}

/** Runs in any order → lines in order of their first appearance. */
export function historyOf(
  runs: readonly HistoryRun[],
  least: number = LEAST_CHANGE,
  warnings: readonly string[] = [],
): History {
  const ordered = [...runs].sort((a, b) => compare(a.at, b.at) || compare(a.id, b.id));
  const machines = new Map<string, Machine>();
  // Later runs first, so that titles are today's.
  for (const { machine } of [...ordered].reverse()) {
    if (!machines.has(machine.id)) machines.set(machine.id, machine);
  }
  const entries = ordered.flatMap((run, index) => run.cells.map((cell) => ({ run, index, cell })));
  const lines = groupBy(entries, ({ run, cell }) =>
    JSON.stringify([run.machine.id, run.side, cellKey(cell.cell), cell.modelIdentity]),
  );
  return {
    format: 1,
    runs: ordered.map(({ cells: _, ...run }) => run),
    machines: [...machines.values()],
    lines: [...lines.values()]
      .flatMap((members) => PHASES.map((phase) => lineOf(members, phase, ordered, least)))
      // A cell that never gave a figure has no trend.
      .filter(({ segments }) => segments.length > 0),
    least,
    warnings,
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

interface Entry {
  readonly run: HistoryRun;
  readonly index: number;
  readonly cell: RunCell;
}

function lineOf(
  members: readonly Entry[],
  phase: Line['phase'],
  runs: readonly HistoryRun[],
  least: number,
): Line {
  const { run, cell: newest } = members.at(-1)!;
  const points: Point[] = members.map(({ index, cell }) => {
    const rates = cell.rates[phase];
    return {
      run: index,
      rate: rates.length === 0 ? null : median(rates),
      interval: medianInterval(rates),
      status: cell.status,
      reason: cell.reason,
      flags: cell.flags,
      facts: cell.facts,
    };
  });
  return {
    machine: run.machine.id,
    cell: newest.cell,
    phase,
    side: run.side,
    engineTitle: newest.engineTitle,
    modelTitle: newest.modelTitle,
    modelIdentity: newest.modelIdentity,
    points,
    ...changesOf(points, runs, least),
  };
}
