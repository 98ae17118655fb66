/** What Linux tells of this process and of everything it started. */
import { readdirSync, readFileSync } from 'node:fs';

const MIB = 1024;

/** Null when it has ended meanwhile. */
function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH' || error.code === 'EACCES') return null;
    throw error;
  }
}

export function residentMiB(pid) {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1];
  return kib === undefined ? null : Number(kib) / MIB;
}

/** Open files, sockets and pipes. */
export function openFiles(pid) {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH' || error.code === 'EACCES') return null;
    throw error;
  }
}

/** Everything below a process, grandchildren too. Zombies count: somebody forgot to wait for them. */
export function descendants(root) {
  const children = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(`/proc/${name}/stat`);
    if (stat === null) continue;
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [];
  const pending = [root];
  while (pending.length > 0) {
    const own = children.get(pending.pop()) ?? [];
    found.push(...own);
    pending.push(...own);
  }
  return found;
}

/** The last words of its command line, which name the runner. */
export function nameOf(pid) {
  const words = (read(`/proc/${pid}/cmdline`) ?? '').split('\0').filter((word) => word !== '');
  return (
    words
      .slice(1)
      .map((word) => word.split('/').at(-1))
      .join(' ') || 'ended'
  );
}
