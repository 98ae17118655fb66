import { join } from 'node:path';
import type { LoadedSweep } from '../../config/load.ts';
import { UserError } from '../../errors.ts';
import { writeFileAtomic } from '../../files/atomic.ts';
import { decideCells, overallVerdict, screenCells } from '../../gate/judge.ts';
import type { CellPair, Compared, GateReport, Variant } from '../../gate/model.ts';
import { pairCells, type Side } from '../../gate/pairs.ts';
import { parityUnchecked, weightWarnings } from '../../gate/parity.ts';
import { GATE } from '../../gate/rule.ts';
import { resultsFolder } from '../folders.ts';
import { runPrefix, runStamp } from '../manifest.ts';
import { programOf } from './child.ts';
import { type CompareOptions, parsePairs, parseVariant, type Source } from './input.ts';
import { type LiveInput, type LiveSide, measurePairs } from './live.ts';
import { type ChosenPairs, pairsFromPilot, pairsFromResults } from './noise.ts';

/** Live pairs in the two stages of the gate. */
export async function compareLive(
  source: { loaded: LoadedSweep },
  against: Source | null,
  options: CompareOptions,
): Promise<Compared> {
  const wanted = parsePairs(options);
  const input = await liveInput(source.loaded, against as { loaded: LoadedSweep } | null, options);
  const chosen = 'pairs' in wanted ? given(wanted.pairs) : await choose(input, wanted);
  const { pairs } = chosen;
  say(`first stage: ${pairs} pairs a cell (${chosen.reason}), results in ${input.dir}`);
  const first = await measurePairs(input, 'stage1', pairs, null);
  const { cells, leftOut } = pairCells(first.baseline, first.candidate);
  const screened = screenCells(cells);

  const rows = [...screened.rows];
  const folders = [...chosen.folders, ...first.folders];
  const measured = new Map(cells.map((cell) => [cell.id, cell]));
  if (screened.advancing.length > 0) {
    const ids = new Set(screened.advancing.map(({ id }) => id));
    const again = cells.filter(({ id }) => ids.has(id)).map(({ cell }) => cell);
    const freshPairs = GATE.freshFactor * pairs;
    say(`second stage: ${freshPairs} fresh pairs of ${again.length} cells that look slow or unclear`);
    const second = await measurePairs(input, 'stage2', freshPairs, again);
    const fresh = pairCells(second.baseline, second.candidate).cells;
    rows.push(...decideCells(screened, withLost(fresh, cells, ids), pairs));
    for (const cell of fresh) if (ids.has(cell.id)) measured.set(cell.id, cell);
    folders.push(...second.folders);
  }
  const order = new Map(cells.map(({ id }, index) => [id, index]));
  rows.sort((a, b) => order.get(a.id)! - order.get(b.id)! || (a.phase < b.phase ? 1 : -1));
  const findable = rows.flatMap(({ smallestFindable }) => smallestFindable ?? []);
  const judged = rows.filter(({ verdict }) => verdict !== 'failed');
  const report: GateReport = {
    format: 1,
    title: source.loaded.sweep.title ?? runPrefix(source.loaded.file),
    mode: 'live',
    baseline: sideTitle(input.baseline, ortbenchOf(options, first.baseline)),
    candidate: sideTitle(input.candidate, ortbenchOf(options, first.candidate)),
    verdict: overallVerdict(rows),
    pairs,
    pairsReason: chosen.reason,
    smallestFindable: findable.length > 0 && findable.length === judged.length ? Math.max(...findable) : null,
    rows,
    leftOut,
    // Of the first stage: the second measures the same files without checking them again.
    parityUnchecked: parityUnchecked(input.parity, cells),
    warnings: [...first.candidate.reports.flatMap(({ warnings }) => warnings), ...weightWarnings(cells)],
    results: folders,
  };
  // The verdict lies beside the stages that it was made from.
  await writeFileAtomic(join(input.dir, 'gate.json'), `${JSON.stringify(report, null, 2)}\n`);
  return { report, measured };
}

const given = (pairs: number): ChosenPairs => ({
  pairs,
  reason: pairs === GATE.pairs ? 'the default' : 'as given',
  folders: [],
});

const choose = (
  input: LiveInput,
  { most, noiseFrom }: { most: number; noiseFrom: string | null },
): Promise<ChosenPairs> =>
  noiseFrom === null ? pairsFromPilot(input, most) : pairsFromResults(noiseFrom, most);

const say = (line: string): void => console.error(line);

/** A cell that the second stage lost altogether has failed. */
function withLost(
  fresh: readonly CellPair[],
  cells: readonly CellPair[],
  ids: ReadonlySet<string>,
): CellPair[] {
  const found = new Set(fresh.map(({ id }) => id));
  const lost = cells.filter(({ id }) => ids.has(id) && !found.has(id));
  return [...fresh, ...lost.map((cell) => ({ ...cell, failure: 'the second stage did not run it' }))];
}

async function liveInput(
  loaded: LoadedSweep,
  against: { loaded: LoadedSweep } | null,
  options: CompareOptions,
): Promise<LiveInput> {
  const other = against?.loaded ?? loaded;
  const baseline: LiveSide = {
    variant: variantOf('--baseline', options.baseline, other),
    loaded: other,
    program: await programOf(options.baselineOrtbench),
  };
  const candidate: LiveSide = {
    variant: variantOf('--candidate', options.candidate, loaded),
    loaded,
    program: await programOf(undefined),
  };
  requireDifference(baseline, candidate);
  const now = runStamp(new Date());
  return {
    baseline,
    candidate,
    dir: resultsFolder(`compare-${runPrefix(loaded.file)}-${now}`, options.out),
    parity: options.parity ?? true,
    only: options.only ?? [],
  };
}

function variantOf(option: string, text: string | undefined, { sweep }: LoadedSweep): Variant {
  const names = sweep.engines.map(({ name }) => name);
  return parseVariant(option, text, names, sweep.precisions);
}

function requireDifference(baseline: LiveSide, candidate: LiveSide): void {
  if (baseline.loaded !== candidate.loaded || baseline.program !== candidate.program) return;
  const [a, b] = [baseline.variant, candidate.variant];
  if (a.engine === null || b.engine === null) {
    throw new UserError('compare needs to know what is compared: --baseline and --candidate', {
      hint: 'name two engines or variants of the config, or give another config or results with --against',
    });
  }
  if (a.engine === b.engine && a.precision === b.precision) {
    throw new UserError(`--baseline and --candidate are both ${a.engine}`, {
      hint: 'to compare an engine with itself give it twice in the config, under two names',
    });
  }
}

/** Which ortbench measured a side, where the two sides are of two of them. */
function ortbenchOf({ baselineOrtbench }: CompareOptions, { reports }: Side): string | null {
  const environment = reports[0]?.manifest.environment;
  if (baselineOrtbench === undefined || environment === undefined) return null;
  const { ortbench, ortbenchCommit } = environment;
  return `ortbench ${ortbench}${ortbenchCommit ? ` at ${ortbenchCommit}` : ''}`;
}

function sideTitle({ variant, loaded }: LiveSide, ortbench: string | null): string {
  const { engine, precision } = variant;
  const what = engine === null ? runPrefix(loaded.file) : engine;
  return `${what}${precision === null ? '' : ` ${precision}`}${ortbench === null ? '' : ` (${ortbench})`}`;
}
