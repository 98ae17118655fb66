import { PHASES, type Phase } from '../schema/vocabulary.ts';
import { median } from '../stats/descriptive.ts';
import { robustSpread } from '../stats/noise.ts';
import { formatPercent } from '../units.ts';
import type { CellPair, GateRow, GateVerdict } from './model.ts';
import { smallestFindable } from './power.ts';
import { decide, type Slowdown, screen, slowdownOf, type Verdict } from './rule.ts';

/** A phase of a cell that the second stage has to look at. */
interface Advancing {
  readonly id: string;
  readonly phase: Phase;
}

export interface Screened {
  /** Cells whose phases are done: failed, or clear. */
  readonly rows: readonly GateRow[];
  readonly advancing: readonly Advancing[];
  /** All comparisons that were screened: what Holm's worst case is about. */
  readonly comparisons: number;
}

/** First stage on every phase of every cell. */
export function screenCells(cells: readonly CellPair[]): Screened {
  const rows: GateRow[] = [];
  const advancing: Advancing[] = [];
  const sound = cells.filter(({ failure }) => failure === null);
  const comparisons = sound.length * PHASES.length;
  for (const cell of cells) {
    if (cell.failure !== null) {
      rows.push(...PHASES.map((phase) => failedRow(cell, phase, cell.failure!)));
      continue;
    }
    for (const phase of PHASES) {
      if (screen(cell.logs[phase]) === 'clear') {
        const found = smallestFindable(robustSpread(cell.logs[phase]), cell.logs[phase].length, comparisons);
        rows.push(judgedRow(cell, phase, 'ok', 1, null, found));
      } else advancing.push({ id: cell.id, phase });
    }
  }
  return { rows, advancing, comparisons };
}

/** Second stage: fresh pairs of the advancing cells; a cell that failed this time has failed. */
export function decideCells(screened: Screened, fresh: readonly CellPair[], firstPairs: number): GateRow[] {
  const byId = new Map(fresh.map((cell) => [cell.id, cell]));
  const rows: GateRow[] = [];
  const judged: { cell: CellPair; phase: Phase }[] = [];
  for (const { id, phase } of screened.advancing) {
    const cell = byId.get(id);
    if (cell === undefined) throw new Error(`the second stage did not measure ${id}`);
    if (cell.failure !== null) rows.push(failedRow(cell, phase, cell.failure));
    else judged.push({ cell, phase });
  }
  const verdicts = decide(judged.map(({ cell, phase }) => cell.logs[phase]));
  judged.forEach(({ cell, phase }, i) => {
    const { verdict, adjustedP } = verdicts[i]!;
    const found = smallestFindable(robustSpread(cell.logs[phase]), firstPairs, screened.comparisons);
    rows.push(judgedRow(cell, phase, verdict, 2, adjustedP, found));
  });
  return rows;
}

export function overallVerdict(rows: readonly GateRow[]): GateVerdict {
  const has = (verdict: GateRow['verdict']) => rows.some((row) => row.verdict === verdict);
  // Nothing compared is a failure: a gate that looked at nothing has not passed.
  if (rows.length === 0) return 'failed';
  // A regression that was found stands, whatever else went wrong beside it.
  if (has('regression')) return 'regression';
  if (has('failed')) return 'failed';
  return has('inconclusive') ? 'inconclusive' : 'ok';
}

export function failedRow({ id, cell }: CellPair, phase: Phase, reason: string): GateRow {
  return {
    id,
    cell,
    phase,
    verdict: 'failed',
    reason,
    baselineRate: null,
    candidateRate: null,
    slowdown: null,
    stage: null,
    pairs: 0,
    adjustedP: null,
    smallestFindable: null,
  };
}

function judgedRow(
  pair: CellPair,
  phase: Phase,
  verdict: Verdict,
  stage: 1 | 2,
  adjustedP: number | null,
  findable: number,
): GateRow {
  const slowdown = slowdownOf(pair.logs[phase]);
  const { baseline, candidate } = pair.rates[phase];
  return {
    id: pair.id,
    cell: pair.cell,
    phase,
    verdict,
    reason: describeSlowdown(slowdown, verdict),
    baselineRate: median(baseline),
    candidateRate: median(candidate),
    slowdown,
    stage,
    pairs: pair.logs[phase].length,
    adjustedP,
    smallestFindable: Number.isFinite(findable) ? findable : null,
  };
}

/** "3.2 % slower (1.1 % to 5.3 %)" */
export function describeSlowdown({ estimate, interval, upperBound }: Slowdown, verdict: Verdict): string {
  const size = `${formatPercent(Math.abs(estimate - 1))} ${estimate >= 1 ? 'slower' : 'faster'}`;
  const range =
    interval === null
      ? ''
      : ` (95 % interval of the slowdown ${formatPercent(interval[0] - 1)} to ${formatPercent(interval[1] - 1)})`;
  const open = verdict === 'inconclusive' ? `; it may be up to ${formatPercent(upperBound - 1)} slower` : '';
  return size + range + open;
}
