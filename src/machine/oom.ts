import { readFileSync } from 'node:fs';

/** Where kernels count processes killed for lack of memory: this control group's events, then the whole machine's. */
const COUNTERS = [
  { file: '/sys/fs/cgroup/memory.events', pattern: /^oom_kill (\d+)$/m },
  { file: '/proc/vmstat', pattern: /^oom_kill (\d+)$/m },
];

/** Out-of-memory kills so far; a rise while a runner died is evidence, its SIGKILL alone is none. 0 where unknown. */
export function countOomKills(): number {
  let kills = 0;
  for (const { file, pattern } of COUNTERS) {
    try {
      kills = Math.max(kills, Number(pattern.exec(readFileSync(file, 'utf8'))?.[1] ?? 0));
    } catch {
      // Not on this system, or not readable in this sandbox: no evidence from here.
    }
  }
  return kills;
}
