import { type Cell, cellKey, workKey } from '../schema/cell.ts';
import type { Manifest } from '../schema/manifest.ts';
import { PHASES, type Phase, type Precision } from '../schema/vocabulary.ts';
import { geometricMean, geometricMeanInterval } from '../stats/geometric-mean.ts';
import { PHASE_RATE } from '../stats/rates.ts';
import { pairedSpeedup, type Series } from '../stats/speedup.ts';
import { groupBy } from './group-by.ts';
import type { AverageRow, CellRow, Parity, SpeedupRow } from './model.ts';
import { unlikeWeights } from './weights.ts';

const comparisonKey = (work: string, engine: string, precision: Precision): string =>
  JSON.stringify([work, engine, precision]);

/** Each cell against each baseline of the sweep, both phases; a row without a speedup says why. */
export function speedupRows(manifest: Manifest, rows: readonly CellRow[]): SpeedupRow[] {
  const byKey = new Map(
    rows.map((row) => [comparisonKey(workKey(row.cell), row.cell.engine, row.cell.precision), row]),
  );
  const titles = new Map(manifest.engines.map(({ name, title }) => [name, title]));
  const found: SpeedupRow[] = [];
  // A baseline with its own precision and one without name the same comparison where the precisions agree.
  const seen = new Set<string>();
  for (const baseline of manifest.baselines) {
    // The manifest's word may be of a later version: then no cell has it, and the rows say so.
    const own = baseline.precision as Precision | null;
    const title = titles.get(baseline.engine) ?? baseline.engine;
    for (const phase of PHASES) {
      for (const row of rows) {
        const precision = own ?? row.cell.precision;
        if (row.cell.engine === baseline.engine && row.cell.precision === precision) continue;
        const baselineKey = comparisonKey(workKey(row.cell), baseline.engine, precision);
        const comparison = `${phase} ${cellKey(row.cell)} ${baselineKey}`;
        if (seen.has(comparison)) continue;
        seen.add(comparison);
        const other = byKey.get(baselineKey);
        found.push({
          run: row.run,
          phase,
          cell: row.cell,
          engineTitle: row.engineTitle,
          modelTitle: row.modelTitle,
          modelLayers: row.modelLayers,
          baseline: { engine: baseline.engine, title, precision },
          parity: combine(row.parity, other?.parity ?? 'unchecked'),
          ...compare(phase, row, other, `${title} ${precision}`, manifest.parity),
        });
      }
    }
  }
  return found;
}

const combine = (a: Parity, b: Parity): Parity => {
  if (a === 'mismatch' || b === 'mismatch') return 'mismatch';
  return a === 'match' && b === 'match' ? 'match' : 'unchecked';
};

type Comparison = Pick<SpeedupRow, 'speedup' | 'interval' | 'logRatios' | 'reason'>;

/**
 * Why a row must not be divided while parity counts: an engine's own tool shows no logits, or there was no reference to
 * hold them against. An engine that loads no model has nothing to be checked.
 */
const unproven = (row: CellRow, name: string): string | null => {
  if (row.parity !== 'unchecked' || row.session?.artefact === null) return null;
  const flag = row.flags.find((flag) => flag.name === 'own-tool');
  const why = flag === undefined ? row.parityReason : `it was driven through ${flag.detail}`;
  return `nothing shows that ${name} computes the same: ${why} (--no-parity divides all the same)`;
};

function compare(
  phase: Phase,
  row: CellRow,
  other: CellRow | undefined,
  baselineName: string,
  parity: boolean,
): Comparison {
  const none = (reason: string): Comparison => ({
    speedup: null,
    interval: null,
    logRatios: new Map(),
    reason,
  });
  if (row.status !== 'ok' || row.measured === null) return none(`${row.status}: ${row.reason}`);
  if (other === undefined) return none(`the baseline ${baselineName} has no such cell in this sweep`);
  if (other.status !== 'ok' || other.measured === null) {
    return none(`the baseline ${baselineName} is ${other.status}: ${other.reason}`);
  }
  if (row.preparation?.promptsSha256 !== other.preparation?.promptsSha256) {
    return none(`the baseline ${baselineName} was given other prompts`);
  }
  const unlike = unlikeWeights([row, row.engineTitle], [other, `the baseline ${baselineName}`]);
  if (unlike !== null) return none(unlike);
  const doubt = parity ? (unproven(row, row.engineTitle) ?? unproven(other, baselineName)) : null;
  if (doubt !== null) return none(doubt);
  const series = ({ measured }: CellRow): Series =>
    new Map(measured!.rounds.map(({ round, rates }) => [round, rates[PHASE_RATE[phase]]]));
  const paired = pairedSpeedup(series(row), series(other));
  if (paired === null) return none(`no round has both this cell and the baseline ${baselineName}`);
  return { speedup: paired.ratio, interval: paired.interval, logRatios: paired.logRatios, reason: null };
}

/** Comparisons that belong to one average: one engine and precision of a model against one baseline. */
function averageKey({ phase, cell, baseline }: SpeedupRow): string {
  const { model, device, generate, engine, precision } = cell;
  return JSON.stringify([
    model,
    device,
    generate,
    engine,
    precision,
    baseline.engine,
    baseline.precision,
    phase,
  ]);
}

/** Geometric mean of cells that have a speedup; a single one is its own average, and has one interval, not two. */
export function averageOf(compared: readonly SpeedupRow[]): Pick<AverageRow, 'average' | 'interval'> {
  const [first, ...others] = compared;
  if (first === undefined) return { average: null, interval: null };
  if (others.length === 0) return { average: first.speedup, interval: first.interval };
  return {
    average: geometricMean(compared.map(({ speedup }) => speedup!)),
    interval: geometricMeanInterval(compared.map(({ logRatios }) => logRatios)),
  };
}

export function averageRows(speedups: readonly SpeedupRow[]): AverageRow[] {
  return [...groupBy(speedups, averageKey).values()].map((members) => {
    const first = members[0]!;
    const compared = members.filter((row) => row.speedup !== null);
    const ordered = [...compared].sort((a, b) => a.speedup! - b.speedup!);
    const { model, device, generate, engine, precision }: Cell = first.cell;
    return {
      run: first.run,
      phase: first.phase,
      model,
      modelTitle: first.modelTitle,
      modelLayers: first.modelLayers,
      device,
      generate,
      engine,
      engineTitle: first.engineTitle,
      precision,
      baseline: first.baseline,
      cells: members.length,
      compared,
      ...averageOf(compared),
      lowest: ordered[0] ?? null,
      highest: ordered.at(-1) ?? null,
      parity: (compared.length === 0 ? members : compared).map((row) => row.parity).reduce(combine),
      reasons: [...new Set(members.flatMap(({ reason }) => reason ?? []))],
    };
  });
}
