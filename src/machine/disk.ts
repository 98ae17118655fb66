import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

const BYTES_PER_MIB = 2 ** 20;

/** Free MiB for this user on the disk that holds the path, or would hold it; null where the system cannot tell. */
export async function freeDiskMiB(path: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(path);
    return Math.round((bavail * bsize) / BYTES_PER_MIB);
  } catch {
    // Not made yet: its parent lies on the same disk.
    const parent = dirname(path);
    return parent === path ? null : freeDiskMiB(parent);
  }
}
