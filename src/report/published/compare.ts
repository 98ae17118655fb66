import type { Manifest } from '../../schema/manifest.ts';
import type { Published, PublishedClaim, PublishedSystem } from '../../schema/published.ts';
import { PHASES, type Phase } from '../../schema/vocabulary.ts';
import { groupBy } from '../group-by.ts';
import type { CellRow, SpeedupRow } from '../model.ts';
import { averageOf } from '../speedups.ts';
import { differences } from './differences.ts';
import type { MeasuredClaim, PublishedRow } from './model.ts';

/** What a comparison with published figures is made from: all of it measured or recorded. */
export interface Findings {
  readonly manifest: Manifest;
  readonly rows: readonly CellRow[];
  readonly speedups: readonly SpeedupRow[];
}

/** Every published figure of the run's models beside what the run measured; empty where its sweep names none. */
export function publishedRows(findings: Findings): PublishedRow[] {
  const { published, models } = findings.manifest;
  if (published === undefined) return [];
  return published.systems.flatMap((system) => {
    const own = models.filter(({ name, uncutName }) => (uncutName ?? name) === system.model);
    return own.flatMap(({ name }) => systemRows(findings, published.source, system, name));
  });
}

function systemRows(
  findings: Findings,
  source: Published['source'],
  { claims, ...system }: PublishedSystem,
  model: string,
): PublishedRow[] {
  if (claims.length === 0) {
    const reason = 'the source names this model without a figure of its own';
    return [{ source, system, claim: null, phase: null, measured: null, reason, differences: [] }];
  }
  return claims.flatMap((claim) =>
    (claim.phase === null ? PHASES : [claim.phase]).flatMap((phase): PublishedRow[] => {
      const candidates = comparable(findings, claim, phase, model);
      const found = candidates.flatMap((members) => measure(claim, members) ?? []);
      if (found.length === 0) {
        const reason = whyNot(candidates.flat());
        return [{ source, system, claim, phase, measured: null, reason, differences: [] }];
      }
      return found.map((measured) => ({
        source,
        system,
        claim,
        phase,
        measured,
        reason: null,
        differences: differences(findings, source, system, claim, measured),
      }));
    }),
  );
}

/**
 * The comparisons of the run that a claim can stand beside: its engine and batch sizes against one of its baselines, each
 * pair of precisions apart. In the claim's own precision where that was measured, otherwise in fp32, which is then said.
 */
function comparable(
  { manifest, speedups }: Findings,
  claim: PublishedClaim,
  phase: Phase,
  model: string,
): SpeedupRow[][] {
  const ids = new Map(manifest.engines.map(({ name, engine }) => [name, engine]));
  const ofClaim = speedups.filter(
    ({ cell, baseline, ...row }) =>
      row.phase === phase &&
      cell.model === model &&
      ids.get(cell.engine) === claim.engine &&
      claim.baseline.engines.includes(ids.get(baseline.engine) ?? '') &&
      (claim.batchSizes === null || claim.batchSizes.includes(cell.batchSize)),
  );
  const groups = [
    ...groupBy(ofClaim, ({ cell, baseline }) =>
      JSON.stringify([cell.engine, cell.precision, baseline.engine, baseline.precision]),
    ).values(),
  ];
  const wanted = claim.baseline.precision;
  const own = groups.filter(
    ([first]) =>
      first!.cell.precision === claim.precision && (wanted === null || first!.baseline.precision === wanted),
  );
  if (own.some(hasSpeedup)) return own;
  const instead = groups.filter(
    ([first]) => first!.cell.precision === 'fp32' && first!.baseline.precision === 'fp32',
  );
  return claim.precision !== 'int4' && instead.some(hasSpeedup) ? instead : own;
}

const hasSpeedup = (group: readonly SpeedupRow[]): boolean => group.some(({ speedup }) => speedup !== null);

function measure(claim: PublishedClaim, members: readonly SpeedupRow[]): MeasuredClaim | null {
  const compared = members.filter(({ speedup }) => speedup !== null).sort((a, b) => a.speedup! - b.speedup!);
  const [lowest] = compared;
  if (lowest === undefined) return null;
  const { cell, modelTitle, engineTitle, baseline } = lowest;
  const { upTo } = claim;
  const { average, interval } = averageOf(compared);
  const named = upTo !== null && upTo.batchSize !== null && upTo.promptLength !== null;
  return {
    model: cell.model,
    modelTitle,
    engineTitle,
    precision: cell.precision,
    baseline,
    average: average!,
    interval,
    lowest,
    highest: compared.at(-1)!,
    compared: compared.length,
    cells: members.length,
    namedCell: named
      ? (compared.find(
          ({ cell }) =>
            cell.batchSize === upTo.batchSize &&
            cell.promptLength.length === upTo.promptLength &&
            cell.promptLength.spread === 0,
        ) ?? null)
      : null,
    parity: compared.every(({ parity }) => parity === 'match') ? 'match' : 'unchecked',
  };
}

/** The reasons of the cells that would have been compared, each once. */
function whyNot(members: readonly SpeedupRow[]): string {
  const reasons = [...new Set(members.flatMap(({ reason }) => reason ?? []))];
  if (reasons.length === 0) return 'this sweep has no such comparison';
  const more = reasons.length > 1 ? ` (and ${reasons.length - 1} more reasons: speedups.csv)` : '';
  return `${reasons[0]}${more}`;
}
