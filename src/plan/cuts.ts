import type { EngineMeta } from '../engines/engine.ts';
import { type Cell, sessionKey, workKey } from '../schema/cell.ts';
import type { ModelShape } from '../schema/model.ts';
import type { EngineChoice, Sweep } from '../schema/sweep.ts';
import type { ArtefactKind, Precision } from '../schema/vocabulary.ts';
import { formatDuration, formatMiB } from '../units.ts';
import type { PlannedCell, PlanStatus } from './plan.ts';
import { estimateCellSeconds, estimateSessionSeconds } from './time.ts';

export interface Verdict {
  readonly status: Exclude<PlanStatus, 'planned'>;
  readonly reason: string;
}

export function skipped(reason: string): Verdict {
  return { status: 'skipped', reason };
}

/** A cell on its way through the plan: `verdict` says why it will not run. */
export interface Candidate {
  readonly cell: Cell;
  readonly choice: EngineChoice;
  readonly meta: EngineMeta;
  readonly shape: ModelShape;
  readonly hostMiB: number;
  readonly deviceMiB: number | null;
  readonly verdict: Verdict | null;
}

/** Model files that are still to be made, and the room for them. */
export interface DiskFacts {
  readonly freeMiB: number;
  /** MiB of each file that is not there yet, by artefactKey. */
  readonly missing: ReadonlyMap<string, number>;
}

export const artefactKey = (model: string, kind: ArtefactKind, precision: Precision): string =>
  `${model}/${kind}/${precision}`;

/** What a cell's engine loads, and the canonical checkpoint: files are made from it, and parity is checked against it. */
const filesOf = ({ cell, meta }: Candidate): string[] =>
  meta.artefact === 'none'
    ? []
    : [...new Set([meta.artefact, 'checkpoint'] as const)].map((kind) =>
        artefactKey(cell.model, kind, cell.precision),
      );

/** In plan order, cells whose model files still fit; files are made once, and later cells find them. */
export function cutToDisk(cells: readonly Candidate[], { freeMiB, missing }: DiskFacts): Candidate[] {
  const made = new Set<string>();
  let leftMiB = freeMiB;
  return cells.map((candidate) => {
    if (candidate.verdict !== null) return candidate;
    const needed = filesOf(candidate).filter((key) => missing.has(key) && !made.has(key));
    const needMiB = needed.reduce((sum, key) => sum + missing.get(key)!, 0);
    if (needMiB > leftMiB) {
      const { model, precision } = candidate.cell;
      const reason = `the ${precision} files of ${model} for ${candidate.meta.title} would need about ${formatMiB(needMiB)} of disk; ${formatMiB(leftMiB)} is left for them`;
      return { ...candidate, verdict: skipped(reason) };
    }
    for (const key of needed) made.add(key);
    leftMiB -= needMiB;
    return candidate;
  });
}

/**
 * Estimates, and cuts to `maxHours`: in plan order, a comparison (all engines and precisions of one work) runs whole or
 * not at all; a smaller one after it may still fit.
 */
export function cutToTime(cells: readonly Candidate[], sweep: Sweep, threads: number): PlannedCell[] {
  const budgetSeconds = sweep.maxHours === undefined ? Number.POSITIVE_INFINITY : sweep.maxHours * 3600;
  let spentSeconds = 0;
  let started: ReadonlySet<string> = new Set();
  return comparisons(cells).flatMap((members) => {
    const sessions = new Set(started);
    const estimated = members.map((candidate) => estimate(candidate, sweep, threads, sessions));
    const seconds = estimated.reduce((sum, entry) => sum + entry.seconds, 0);
    if (spentSeconds + seconds <= budgetSeconds) {
      spentSeconds += seconds;
      started = sessions;
      return estimated;
    }
    const { batchSize, promptLength } = members[0]!.cell;
    const reason = `batch ${batchSize}, prompt ${promptLength.length} would take about ${formatDuration(seconds)}; of the ${sweep.maxHours} h allowed, ${formatDuration(budgetSeconds - spentSeconds)} is left`;
    return estimated.map((entry) =>
      entry.status === 'planned' ? { ...entry, ...skipped(reason), seconds: 0 } : entry,
    );
  });
}

function estimate(
  { cell, choice, meta, shape, hostMiB, deviceMiB, verdict }: Candidate,
  sweep: Sweep,
  threads: number,
  sessions: Set<string>,
): PlannedCell {
  if (verdict !== null) return { cell, choice, ...verdict, hostMiB, deviceMiB, seconds: 0 };
  const { prepare, rounds, memory } = estimateCellSeconds(cell, shape, meta, sweep, threads);
  const session = sessionKey(cell);
  const shared = sessions.has(session) ? 0 : estimateSessionSeconds(cell, shape, meta, sweep, threads);
  sessions.add(session);
  const seconds = prepare + rounds + memory + shared;
  return { cell, choice, status: 'planned', reason: null, hostMiB, deviceMiB, seconds };
}

/** Adjacent cells of one work: the plan's order keeps them together. */
function comparisons(cells: readonly Candidate[]): Candidate[][] {
  const groups: Candidate[][] = [];
  for (const candidate of cells) {
    const current = groups.at(-1);
    if (current && workKey(current[0]!.cell) === workKey(candidate.cell)) current.push(candidate);
    else groups.push([candidate]);
  }
  return groups;
}
