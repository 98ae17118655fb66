import { groupBy } from '../report/group-by.ts';
import type { CellRow, Report } from '../report/model.ts';
import { unlikeWeights } from '../report/weights.ts';
import { type Cell, workKey } from '../schema/cell.ts';
import { isSkippedByContext, isSkippedByRule } from '../schema/skip-reasons.ts';
import { PHASES, type Phase } from '../schema/vocabulary.ts';
import { PHASE_RATE } from '../stats/rates.ts';
import type { CellPair, LeftOut, SideRates, Variant } from './model.ts';
import { whyUnchecked } from './parity.ts';

/** Results of one side: one folder with many rounds, or one folder a pair. */
export interface Side {
  readonly variant: Variant;
  readonly reports: readonly Report[];
}

/** Nobody asked for it, or it cannot be: unlike a cell that there was no memory, disk or time for. */
const wasNeverMeant = ({ status, reason }: CellRow): boolean =>
  status === 'unsupported' ||
  (status === 'skipped' && (isSkippedByRule(reason) || isSkippedByContext(reason)));

/**
 * Matches the cells of both sides by their work, and their rounds by number; rounds that only one side has are no pairs.
 * Only what neither side was meant to run is left out. A cell that one side lacks, that failed, or that there was no room
 * or time for, on either side, is a failure: what was not compared has not passed.
 */
export function pairCells(baseline: Side, candidate: Side): { cells: CellPair[]; leftOut: LeftOut[] } {
  const ofBaseline = rowsById(baseline);
  const ofCandidate = rowsById(candidate);
  const cells: CellPair[] = [];
  const leftOut: LeftOut[] = [];
  for (const id of new Set([...ofBaseline.keys(), ...ofCandidate.keys()])) {
    const base = ofBaseline.get(id) ?? [];
    const own = ofCandidate.get(id) ?? [];
    const without = whyLeftOut(base, own);
    if (without !== null) {
      leftOut.push({ id, reason: without });
      continue;
    }
    const failure = whyFailed(base, baseline.reports.length, own, candidate.reports.length);
    const { cell } = (own[0] ?? base[0])!;
    const rates = byPhase((phase) => commonRates(base, own, phase));
    const unpaired = failure ?? (rates.decode.baseline.length === 0 ? 'no round has both sides' : null);
    cells.push({
      id,
      cell,
      failure: unpaired,
      unchecked: whyUnchecked(own) ?? whyUnchecked(base),
      otherWeights:
        own[0] && base[0] ? unlikeWeights([own[0], 'the candidate'], [base[0], 'the baseline']) : null,
      logs: byPhase((phase) => (unpaired === null ? logRatios(rates[phase]) : [])),
      rates,
    });
  }
  return { cells, leftOut };
}

/** Rates of every round of both sides, paired or not: for results that were not measured together. */
export function allRates(side: Side, id: string, phase: Phase): number[] {
  return (rowsById(side).get(id) ?? []).flatMap((row) => [...roundRates(row, phase).values()]);
}

/** Rows of one cell over the side's folders, in their order; rows of other variants are none. */
function rowsById({ variant, reports }: Side): Map<string, CellRow[]> {
  const rows = reports.flatMap((report) =>
    report.rows.filter(
      ({ cell }) =>
        (variant.engine === null || cell.engine === variant.engine) &&
        (variant.precision === null || cell.precision === variant.precision),
    ),
  );
  return groupBy(rows, ({ cell }) => idOf(cell, variant));
}

function idOf(cell: Cell, variant: Variant): string {
  const parts = [
    variant.engine === null ? cell.engine : [],
    variant.precision === null ? cell.precision : [],
  ];
  return [...parts.flat(), workKey(cell).replace('~0/', '/')].join(' ');
}

function whyLeftOut(base: readonly CellRow[], own: readonly CellRow[]): string | null {
  const rows = [...own, ...base];
  if (!rows.every(wasNeverMeant)) return null;
  // One side's config does not have what the other's leaves out by rule; what one cannot do, the other may lack by accident.
  const isOneSided = base.length === 0 || own.length === 0;
  if (isOneSided && !rows.every(({ reason }) => isSkippedByRule(reason))) return null;
  return `${rows[0]!.status}: ${rows[0]!.reason}`;
}

function whyFailed(
  base: readonly CellRow[],
  baseFolders: number,
  own: readonly CellRow[],
  ownFolders: number,
): string | null {
  const side = (name: string, rows: readonly CellRow[], folders: number): string | null => {
    const bad = rows.find(({ status }) => status !== 'ok');
    if (bad !== undefined) return `${name} ${bad.status}: ${bad.reason}`;
    if (rows.length === 0) return `the ${name} has no such cell`;
    if (rows.length < folders)
      return `the ${name} lacks this cell in ${folders - rows.length} of ${folders} runs`;
    return null;
  };
  const failure = side('candidate', own, ownFolders) ?? side('baseline', base, baseFolders);
  if (failure !== null) return failure;
  const digests = new Set([...base, ...own].map(({ preparation }) => preparation?.promptsSha256));
  return digests.size === 1 ? null : 'the two sides were given other prompts';
}

function commonRates(base: readonly CellRow[], own: readonly CellRow[], phase: Phase): SideRates {
  const pairs = own.flatMap((row, i) => {
    const others = base[i] === undefined ? new Map<number, number>() : roundRates(base[i], phase);
    return [...roundRates(row, phase)].flatMap(([round, candidate]) => {
      const baseline = others.get(round);
      return baseline === undefined ? [] : [{ baseline, candidate }];
    });
  });
  return {
    baseline: pairs.map(({ baseline }) => baseline),
    candidate: pairs.map(({ candidate }) => candidate),
  };
}

const roundRates = (row: CellRow, phase: Phase): Map<number, number> =>
  new Map((row.measured?.rounds ?? []).map(({ round, rates }) => [round, rates[PHASE_RATE[phase]]]));

const logRatios = ({ baseline, candidate }: SideRates): number[] =>
  baseline.map((rate, i) => Math.log(rate / candidate[i]!));

function byPhase<T>(of: (phase: Phase) => T): Record<Phase, T> {
  return Object.fromEntries(PHASES.map((phase) => [phase, of(phase)])) as Record<Phase, T>;
}
