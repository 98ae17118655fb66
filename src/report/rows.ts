import { type Cell, cellKey, sessionKey } from '../schema/cell.ts';
import type { PreparationRecord, SampleRecord, VerificationRecord } from '../schema/record.ts';
import type { Status } from '../schema/vocabulary.ts';
import { median } from '../stats/descriptive.ts';
import { flagsOf, type Round } from '../stats/flags.ts';
import { cellViolations } from '../stats/identities.ts';
import { medianInterval } from '../stats/median-interval.ts';
import { cellRates, sampleRates } from '../stats/rates.ts';
import { verificationViolations } from '../stats/verification.ts';
import { type Collected, judgeParity, markUsed } from './collect.ts';
import type { CellRow, Interval, Measured, Parity, ReportRun } from './model.ts';

interface Verdict {
  readonly status: Status;
  readonly reason: string | null;
}

/** One row for every cell of the manifest, measured or not. */
export function cellRows(run: ReportRun, collected: Collected): CellRow[] {
  const { manifest, interrupted } = run;
  const engineTitles = new Map(manifest.engines.map(({ name, title }) => [name, title]));
  const modelTitles = new Map(manifest.models.map(({ name, title }) => [name, title]));
  return manifest.cells.map(({ cell, status, reason }) => {
    const own = collected.cells.get(cellKey(cell));
    const session = collected.sessions.get(sessionKey(cell));
    const samples = markUsed(own?.samples ?? []);
    const used = samples.filter((sample) => sample.used).map(({ record }) => record);
    const parityRecord = judgeParity(session?.parity ?? [], cell);
    const parity: Parity = parityRecord?.verdict ?? 'unchecked';
    const parityReason =
      parityRecord?.reason ?? (parity === 'unchecked' ? notChecked(manifest.parity) : null);

    const planned = status === 'planned' ? unfinished(interrupted) : { status, reason };
    const verdict = judge(
      own?.outcome ?? planned,
      { cell, preparation: own?.preparation, samples: used, verification: own?.verification ?? null },
      parity,
    );
    const charted = verdict.status === 'ok' || verdict.status === 'mismatch';
    const measured = charted && own?.preparation ? measure(cell, own.preparation, used) : null;
    const load = session?.loads.at(-1) ?? null;
    return {
      run,
      cell,
      engineTitle: engineTitles.get(cell.engine) ?? cell.engine,
      modelTitle: modelTitles.get(cell.model) ?? cell.model,
      ...verdict,
      reason: verdict.status === 'mismatch' ? (verdict.reason ?? mismatch(parityReason)) : verdict.reason,
      parity,
      parityReason,
      parityFigures: parityRecord?.figures ?? null,
      measured,
      imported: null,
      samples,
      preparation: own?.preparation ?? null,
      session: load,
      loadNs: session?.loads.length ? median(session.loads.map(({ loadNs }) => loadNs)) : null,
      flags: measured ? flagsOf(measured.rounds, { ...load?.effective, ...own?.preparation?.effective }) : [],
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
  readonly preparation: PreparationRecord | null | undefined;
  readonly samples: readonly SampleRecord[];
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

function measure(cell: Cell, preparation: PreparationRecord, samples: readonly SampleRecord[]): Measured {
  const work = {
    batchSize: cell.batchSize,
    generate: cell.generate,
    promptTokens: preparation.promptTokens,
  };
  const rounds: Round[] = samples.map(({ round, startedNs, otherLoadCores, runs }) => ({
    round,
    startedNs,
    otherLoadCores,
    rates: sampleRates(work, runs),
  }));
  const rates = rounds.map((round) => round.rates);
  const interval = (of: (rate: (typeof rates)[number]) => number): Interval | null =>
    medianInterval(rates.map(of));
  return {
    rates: cellRates(rates),
    rounds,
    intervals: {
      prefill: interval(({ promptTokensPerSecond }) => promptTokensPerSecond),
      decode: interval(({ generationTokensPerSecond }) => generationTokensPerSecond),
    },
  };
}
