import type { MemoryRoom } from '../machine/memory.ts';
import { type Cell, sessionKey, workKey } from '../schema/cell.ts';
import type { Baseline, EngineChoice } from '../schema/sweep.ts';
import type { Device, Precision } from '../schema/vocabulary.ts';
import { seededGenerator, shuffle } from './work.ts';

/** A cell that the plan lets run. */
export interface ScheduledCell {
  readonly cell: Cell;
  readonly choice: EngineChoice;
  /** Predicted peak of its session in the host's memory while this cell runs. */
  readonly hostMiB: number;
  /** The same in the device's memory; null on the CPU. */
  readonly deviceMiB: number | null;
}

/** Cells of equal work: their speedups are taken round by round. */
export interface Comparison {
  readonly work: string;
  readonly cells: readonly ScheduledCell[];
}

/** One model on one device, or those of its precisions that are compared: the sessions that are best in memory together. */
export interface Block {
  readonly model: string;
  readonly device: Device;
  readonly precisions: readonly Precision[];
  readonly sessions: ReadonlyMap<string, readonly ScheduledCell[]>;
  readonly comparisons: readonly Comparison[];
  /** `together`: every session stays loaded and idle; `one-by-one`: each is loaded anew for each round. */
  readonly residency: 'together' | 'one-by-one';
}

/** Share of a memory that sessions may fill together; the rest is for the system and for peaks. */
const MEMORY_SHARE = 0.8;

/**
 * Cuts the plan into blocks and comparisons, in plan order. What does not fit into memory together is cut by precision, too,
 * unless one is divided by another: small int4 sessions would gain nothing from being loaded anew for the sake of large f32 ones.
 */
export function makeBlocks(
  cells: readonly ScheduledCell[],
  room: MemoryRoom,
  baselines: readonly Baseline[],
): Block[] {
  const byModel = groupBy(cells, ({ cell }) => `${cell.model}/${cell.device}`);
  return [...byModel.values()].flatMap((members) => {
    const whole = makeBlock(members, room);
    if (whole.residency === 'together' || crossesPrecisions(members, baselines)) return [whole];
    return [...groupBy(members, ({ cell }) => cell.precision).values()].map((part) => makeBlock(part, room));
  });
}

/** Whether all precisions are divided by one of them. */
function crossesPrecisions(members: readonly ScheduledCell[], baselines: readonly Baseline[]): boolean {
  return baselines.some(
    ({ engine, precision }) =>
      precision !== undefined &&
      members.some(({ cell }) => cell.engine === engine && cell.precision === precision),
  );
}

function makeBlock(members: readonly ScheduledCell[], room: MemoryRoom): Block {
  const sessions = groupBy(members, ({ cell }) => sessionKey(cell));
  return {
    model: members[0]!.cell.model,
    device: members[0]!.cell.device,
    precisions: [...new Set(members.map(({ cell }) => cell.precision))],
    sessions,
    comparisons: [...groupBy(members, ({ cell }) => workKey(cell))].map(([work, ofWork]) => ({
      work,
      cells: ofWork,
    })),
    residency: fits(memoryTogether([...sessions.values()]), room) ? 'together' : 'one-by-one',
  };
}

/** The order of one round: seeded, so that it can be had again; fresh for every round, so that no engine always leads. */
export function roundOrder<T>(items: readonly T[], seed: number, label: string, round: number): T[] {
  return shuffle([...items], seededGenerator(seed, `order ${label} round ${round}`));
}

/** What sessions hold when all of them are loaded; `deviceMiB` is 0 on the CPU. */
export function memoryTogether(sessions: readonly (readonly ScheduledCell[])[]): {
  hostMiB: number;
  deviceMiB: number;
} {
  const sum = (size: (cell: ScheduledCell) => number): number =>
    sessions.reduce((total, cells) => total + largest(cells, size), 0);
  return { hostMiB: sum(({ hostMiB }) => hostMiB), deviceMiB: sum(({ deviceMiB }) => deviceMiB ?? 0) };
}

function fits(together: { hostMiB: number; deviceMiB: number }, room: MemoryRoom): boolean {
  const shared = room.deviceMiB === null ? together.deviceMiB : 0;
  return (
    together.hostMiB + shared <= room.hostMiB * MEMORY_SHARE &&
    (room.deviceMiB === null || together.deviceMiB <= room.deviceMiB * MEMORY_SHARE)
  );
}

/** Without spreading: a session of a large sweep has more cells than a call may have arguments. */
export function largest<T>(items: readonly T[], size: (item: T) => number): number {
  return items.reduce((most, item) => Math.max(most, size(item)), 0);
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = key(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return groups;
}
