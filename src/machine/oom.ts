import { readFileSync } from 'node:fs';

/** How the kernel tells how many processes it killed for lack of memory: of one control group, or of the machine. */
export interface OomCounter {
  readonly file: string;
  /** Completes "the kernel's count of OOM kills …". */
  readonly scope: string;
}

const GROUPS = '/sys/fs/cgroup';
/** Both versions of control groups count in a line `oom_kill N`; so does the machine's own list. */
const COUNT = /^oom_kill (\d+)$/m;
const MACHINE: OomCounter = { file: '/proc/vmstat', scope: 'on this machine' };

/** The counter that is nearest to a process: its control group's where that is visible here, else the machine's. */
export function oomCounterOf(pid: number | 'self'): OomCounter {
  const inGroup = groupFiles(readText(`/proc/${pid}/cgroup`) ?? '');
  const found = inGroup.find((file) => readCount(file) !== null);
  return found === undefined ? MACHINE : { file: found, scope: 'in its control group' };
}

/** Kills so far; null where the counter cannot be read. */
export function countOomKills({ file }: OomCounter): number | null {
  return readCount(file);
}

/** Where the group of a process, as /proc/PID/cgroup lists it, may have its counter: version 2, then version 1. */
export function groupFiles(cgroups: string): string[] {
  const path = (pattern: RegExp) => pattern.exec(cgroups)?.[1]?.replace(/\/$/, '');
  const unified = path(/^0::(\/.*)$/m);
  const memory = path(/^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(\/.*)$/m);
  // A container sees its own group as the root of the hierarchy, under a path that only its host knows.
  const of = (group: string | undefined, base: string, file: string) =>
    group === undefined ? [] : [`${base}${group}/${file}`, `${base}/${file}`];
  return [
    ...of(memory, `${GROUPS}/memory`, 'memory.oom_control'),
    ...of(unified, GROUPS, 'memory.events'),
    ...of(unified, `${GROUPS}/unified`, 'memory.events'),
  ];
}

function readCount(file: string): number | null {
  const count = COUNT.exec(readText(file) ?? '')?.[1];
  return count === undefined ? null : Number(count);
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Not on this system, or not readable in this sandbox: no evidence from here.
    return null;
  }
}
