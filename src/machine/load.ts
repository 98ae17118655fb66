import { readOr } from './cpu.ts';

/** Ticks per second of the times in /proc: USER_HZ, 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Used CPU time at one moment, in ticks. */
export interface LoadSnapshot {
  readonly takenNs: bigint;
  /** Of the whole machine, time stolen by a hypervisor's other guests included: it disturbs as much. */
  readonly machineTicks: number;
  /** Of each given process that was there. */
  readonly ownTicks: ReadonlyMap<number, number>;
}

/** Null off Linux. */
export function takeLoadSnapshot(pids: readonly number[]): LoadSnapshot | null {
  const stat = readOr('/proc/stat', null);
  const machineTicks = stat === null ? null : busyTicks(stat);
  if (machineTicks === null) return null;
  const ownTicks = new Map<number, number>();
  for (const pid of new Set(pids)) {
    const ticks = processTicks(readOr(`/proc/${pid}/stat`, ''));
    if (ticks !== null) ownTicks.set(pid, ticks);
  }
  return { takenNs: process.hrtime.bigint(), machineTicks, ownTicks };
}

/**
 * CPU cores that other processes kept busy between two snapshots: 1.0 is one whole core. Null where unknown, or when the
 * span is too short (0.1 s) for the kernel's clock ticks. A process that ended in between is not subtracted.
 */
export function otherLoadBetween(before: LoadSnapshot | null, after: LoadSnapshot | null): number | null {
  if (before === null || after === null) return null;
  const seconds = Number(after.takenNs - before.takenNs) / 1e9;
  if (seconds < 0.1) return null;
  let own = 0;
  for (const [pid, ticks] of after.ownTicks) own += ticks - (before.ownTicks.get(pid) ?? 0);
  const others = after.machineTicks - before.machineTicks - own;
  return Math.max(0, others / TICKS_PER_SECOND / seconds);
}

/** Starts to watch; the returned function tells the load of other processes, in cores, since then. */
export function watchOtherLoad(ownPids: readonly number[]): () => number | null {
  const before = takeLoadSnapshot(ownPids);
  return () => otherLoadBetween(before, takeLoadSnapshot(ownPids));
}

/** user + nice + system + irq + softirq + steal of all CPUs; guest time is already in user. */
export function busyTicks(procStat: string): number | null {
  const line = /^cpu +(.+)$/m.exec(procStat)?.[1];
  if (line === undefined) return null;
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
    .trim()
    .split(/ +/)
    .map(Number);
  return user + nice + system + irq + softirq + steal;
}

/** utime + stime of a process with all its threads, and of its children that have ended, from /proc/PID/stat. */
export function processTicks(stat: string): number | null {
  // The name, in brackets, may hold blanks and brackets itself: fields are counted after its last one.
  const end = stat.lastIndexOf(')');
  if (end < 0) return null;
  const fields = stat.slice(end + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return Number.isFinite(ticks) && fields.length > 15 ? ticks : null;
}
