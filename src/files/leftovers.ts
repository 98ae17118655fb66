import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A name for something temporary that tells whose it is: see removeLeftovers. */
export function temporaryName(prefix: string, suffix = ''): string {
  return `${prefix}${process.pid}${suffix}`;
}

/**
 * Removes what killed processes left in a folder: entries whose name is the prefix, a process number, and the suffix as a
 * pattern. What a living process may still need stays, even where the number is by now another program's.
 */
export async function removeLeftovers(folder: string, prefix: string, suffix: RegExp): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    const match = /^(\d+)(.*)$/.exec(name.slice(prefix.length));
    if (match === null || !suffix.test(match[2]!) || isAlive(Number(match[1]))) continue;
    await rm(join(folder, name), { recursive: true, force: true }).catch((error: NodeJS.ErrnoException) => {
      // Another user's, in a folder that many share.
      if (error.code !== 'EPERM' && error.code !== 'EACCES') throw error;
    });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there and another user's.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
