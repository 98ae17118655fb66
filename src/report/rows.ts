import { type Cell, cellKey, sessionKey } from '../schema/cell.ts';
import type { Manifest } from '../schema/manifest.ts';
import type { PreparationRecord, VerificationRecord } from '../schema/record.ts';
import type { Status } from '../schema/vocabulary.ts';
import { median } from '../stats/descriptive.ts';
import { flagsOf, type Round } from '../stats/flags.ts';
import { cellViolations } from '../stats/identities.ts';
import { medianInterval } from '../stats/median-interval.ts';
import { cellRates, sampleRates } from '../stats/rates.ts';
import { type CellWork, utilisations } from '../stats/roofline.ts';
import type { SampleSummary } from '../stats/run-summary.ts';
import { verificationViolations } from '../stats/verification.ts';
import { type Collected, judgeParity, markUsed } from './collect.ts';
import { countLayers } from './describe.ts';
import type { CellRow, Interval, Measured, Parity, ReportRun } from './model.ts';
import { cellWork, implausible } from './roofline.ts';
import { unlikeReference } from './weights.ts';

interface Verdict {
  readonly status: Status;
  readonly reason: string | null;
}

/** One row for every cell of the manifest, measured or not. */
export function cellRows(run: ReportRun, collected: Collected): CellRow[] {
  const { manifest, interrupted } = run;
  const engineTitles = new Map(manifest.engines.map(({ name, title }) => [name, title]));
  const modelTitles = new Map(manifest.models.map(({ name, title }) => [name, title]));
  const modelLayers = new Map(manifest.models.map((model) => [model.name, countLayers(model)]));
  return manifest.cells.map(({ cell, status, reason }) => {
    const own = collected.cells.get(cellKey(cell));
    const session = collected.sessions.get(sessionKey(cell));
    const samples = markUsed(own?.samples ?? []);
    const used = samples.filter((sample) => sample.used).map(({ record }) => record);
    const parityRecord = judgeParity(session?.parity ?? [], cell);
    const load = session?.loads.at(-1) ?? null;
    const otherReference = parityRecord === null ? null : unlikeReference(parityRecord, load);
    const checked = otherReference === null ? parityRecord?.verdict : undefined;
    const parity: Parity = checked ?? 'unchecked';
    const parityReason =
      otherReference ?? parityRecord?.reason ?? (parity === 'unchecked' ? notChecked(manifest.parity) : null);

    const planned = status === 'planned' ? unfinished(interrupted) : { status, reason };
    const preparation = own?.preparation ?? null;
    const effective = { ...load?.effective, ...preparation?.effective };
    const work = preparation && cellWork(manifest, cell, preparation, effective);
    const judged = judge(
      own?.outcome ?? planned,
      { cell, preparation, samples: used, verification: own?.verification ?? null },
      parity,
    );
    const beyond = implausible(manifest, cell, judged.status, { preparation, samples: used, work });
    const verdict =
      beyond.length > 0 && judged.status !== 'invalid'
        ? ({ status: 'invalid', reason: beyond.map(({ detail }) => detail).join('; ') } as const)
        : judged;
    const charted = verdict.status === 'ok' || verdict.status === 'mismatch';
    const measured = charted && preparation ? measure(manifest, cell, preparation, used, work) : null;
    return {
      run,
      cell,
      engineTitle: engineTitles.get(cell.engine) ?? cell.engine,
      modelTitle: modelTitles.get(cell.model) ?? cell.model,
      modelLayers: modelLayers.get(cell.model) ?? '',
      ...verdict,
      reason: verdict.status === 'mismatch' ? (verdict.reason ?? mismatch(parityReason)) : verdict.reason,
      parity,
      parityReason,
      parityFigures: parityRecord?.figures ?? null,
      parityReference: parityRecord?.reference ?? null,
      measured,
      imported: null,
      samples,
      preparation,
      session: load,
      loadNs: session?.loads.length ? median(session.loads.map(({ loadNs }) => loadNs)) : null,
      flags: measured ? flagsOf(measured.rounds, effective) : beyond,
    };
  });
}

const notChecked = (parity: boolean): string =>
  parity ? 'no parity check was recorded' : 'the run was made without the parity check';

const mismatch = (detail: string | null): string =>
  `does not compute what the reference computes${detail === null ? '' : `: ${detail}`}`;

const unfinished = (interrupted: boolean): Verdict => ({
  status: 'interrupted',
  reason: `the run ${interrupted ? 'was interrupted' : 'ended'} before this cell was finished`,
});

interface Evidence {
  readonly cell: Cell;
  readonly preparation: PreparationRecord | null;
  readonly samples: readonly SampleSummary[];
  readonly verification: VerificationRecord | null;
}

/** The sweep's own word, unless what it recorded says otherwise. */
function judge({ status, reason }: Verdict, evidence: Evidence, parity: Parity): Verdict {
  if (status !== 'ok' && status !== 'mismatch') return { status, reason: reason ?? 'no reason was recorded' };
  const { cell, preparation, samples, verification } = evidence;
  const violations = cellViolations(cell, preparation ?? undefined, samples);
  if (verification) violations.push(...verificationViolations(cell, samples, verification));
  if (violations.length > 0) return { status: 'invalid', reason: violations.join('; ') };
  return parity === 'mismatch' ? { status: 'mismatch', reason: null } : { status, reason };
}

function measure(
  manifest: Manifest,
  cell: Cell,
  preparation: PreparationRecord,
  samples: readonly SampleSummary[],
  cellWork: CellWork | null,
): Measured {
  const { batchSize, generate } = cell;
  const work = { batchSize, generate, promptTokens: preparation.promptTokens };
  const rounds: Round[] = samples.map((sample) => {
    const { round, startedNs, otherLoadCores, idleCores, idleSession, clock } = sample;
    return {
      round,
      startedNs,
      otherLoadCores,
      idleCores,
      idleSession,
      clock,
      rates: sampleRates(work, sample),
    };
  });
  const rates = rounds.map((round) => round.rates);
  const interval = (of: (rate: (typeof rates)[number]) => number): Interval | null =>
    medianInterval(rates.map(of));
  const typical = cellRates(rates);
  const roofline = manifest.environment.roofline ?? null;
  return {
    rates: typical,
    rounds,
    intervals: {
      prefill: interval(({ promptTokensPerSecond }) => promptTokensPerSecond),
      decode: interval(({ generationTokensPerSecond }) => generationTokensPerSecond),
    },
    utilisations: cellWork && roofline && utilisations(cellWork, typical, roofline),
  };
}
