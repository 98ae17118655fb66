import type { LoadedSweep } from '../config/load.ts';
import type { EngineMeta } from '../engines/engine.ts';
import { memoryRoom } from '../plan/facts.ts';
import type { Plan, PlanFacts, PlannedCell, PlanStatus } from '../plan/plan.ts';
import { estimateCellSeconds, estimateSessionSeconds } from '../plan/time.ts';
import { type Block, makeBlocks, memoryTogether } from '../runner/schedule.ts';

/** All cells that will not run for the same reason. */
export interface ReasonCount {
  readonly status: PlanStatus;
  readonly reason: string;
  readonly cells: number;
}

/** One model on one device, or some of its precisions: what is interleaved. */
export interface BlockSummary {
  readonly model: string;
  readonly device: string;
  readonly precisions: Block['precisions'];
  readonly cells: number;
  readonly comparisons: number;
  readonly sessions: number;
  readonly residency: Block['residency'];
  /** Sum of each session's largest cell: what keeping all loaded takes. */
  readonly together: { readonly hostMiB: number; readonly deviceMiB: number };
  /** What loading and warming up anew in every round costs on top; 0 when sessions stay loaded together. */
  readonly reloadSeconds: number;
  /** How long one round with its loads takes: as far as two engines' figures of one round lie apart at most. */
  readonly roundSeconds: number;
  /** How far they would lie apart at most if each engine ran all its rounds in one go. */
  readonly apartSeconds: number;
}

export interface PlanSummary {
  readonly counts: Readonly<Record<PlanStatus, number>>;
  /** Most frequent first. */
  readonly reasons: readonly ReasonCount[];
  /** Of the whole run, reloads included. */
  readonly seconds: number;
  /** Of the largest session alone, in the host. */
  readonly peakHostMiB: number;
  readonly blocks: readonly BlockSummary[];
}

/** Counts, reasons, time and memory of a plan, and how its sessions will share the machine. */
export function summarisePlan(
  loaded: LoadedSweep,
  plan: Plan,
  metas: ReadonlyMap<string, EngineMeta>,
  facts: PlanFacts,
): PlanSummary {
  const counts: Record<PlanStatus, number> = { planned: 0, skipped: 0, unsupported: 0, unavailable: 0 };
  const reasons = new Map<string, { status: PlanStatus; reason: string; cells: number }>();
  const planned: PlannedCell[] = [];
  let seconds = 0;
  let peakHostMiB = 0;
  for (const entry of plan.cells) {
    counts[entry.status] += 1;
    if (entry.reason === null) {
      planned.push(entry);
      seconds += entry.seconds;
      peakHostMiB = Math.max(peakHostMiB, entry.hostMiB);
      continue;
    }
    const key = `${entry.status} ${entry.reason}`;
    const known = reasons.get(key);
    if (known === undefined) reasons.set(key, { status: entry.status, reason: entry.reason, cells: 1 });
    else known.cells += 1;
  }
  const blocks = makeBlocks(planned, memoryRoom(facts), loaded.sweep.baselines).map((block) =>
    summariseBlock(block, loaded, metas, facts),
  );
  return {
    counts,
    reasons: [...reasons.values()].sort((a, b) => b.cells - a.cells),
    seconds: blocks.reduce((sum, { reloadSeconds }) => sum + reloadSeconds, seconds),
    peakHostMiB,
    blocks,
  };
}

function summariseBlock(
  block: Block,
  { sweep, models }: LoadedSweep,
  metas: ReadonlyMap<string, EngineMeta>,
  { threads }: PlanFacts,
): BlockSummary {
  const { shape } = models.find(({ spec }) => spec.name === block.model)!;
  let cells = 0;
  let onceSeconds = 0;
  let roundsSeconds = 0;
  for (const members of block.sessions.values()) {
    const meta = metas.get(members[0]!.choice.engine)!;
    cells += members.length;
    onceSeconds += estimateSessionSeconds(members[0]!.cell, shape, meta, sweep, threads);
    for (const { cell } of members) {
      const { prepare, rounds } = estimateCellSeconds(cell, shape, meta, sweep, threads);
      onceSeconds += prepare;
      roundsSeconds += rounds;
    }
  }
  return {
    model: block.model,
    device: block.device,
    precisions: block.precisions,
    cells,
    comparisons: block.comparisons.length,
    sessions: block.sessions.size,
    residency: block.residency,
    together: memoryTogether([...block.sessions.values()]),
    roundSeconds: roundsSeconds / sweep.repetitions + (block.residency === 'together' ? 0 : onceSeconds),
    apartSeconds: roundsSeconds + onceSeconds,
    reloadSeconds: block.residency === 'together' ? 0 : (sweep.repetitions - 1) * onceSeconds,
  };
}
