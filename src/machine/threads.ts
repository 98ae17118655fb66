import { readdirSync } from 'node:fs';
import { readOr } from './cpu.ts';

/**
 * CPU time that each thread of a process has used, in nanoseconds by thread id, from /proc/PID/task/TID/schedstat; null
 * where the system or the process does not tell. Finer than the 10 ms ticks of /proc/PID/stat.
 */
export function threadTimes(pid: number): Map<number, number> | null {
  const times = new Map<number, number>();
  for (const thread of threadsOf(pid)) {
    // A thread may end between the listing and the reading.
    const ns = Number(readOr(`/proc/${pid}/task/${thread}/schedstat`, '').split(' ')[0] || Number.NaN);
    if (Number.isFinite(ns)) times.set(thread, ns);
  }
  return times.size > 0 ? times : null;
}

export function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}

/** Nanoseconds used between two readings by the threads that `counts`; a thread that began in between counts whole. */
export function usedBetween(
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
  counts: (thread: number) => boolean = () => true,
): number {
  let used = 0;
  for (const [thread, ns] of after) if (counts(thread)) used += Math.max(0, ns - (before.get(thread) ?? 0));
  return used;
}
