import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { asDiskError } from './disk-error.ts';
import { removeLeftovers, temporaryName } from './leftovers.ts';

/** Makes the entries of a folder themselves durable; a rename alone may be lost with the power. */
export async function syncFolder(path: string): Promise<void> {
  // Windows can neither open a folder nor needs it to be synced.
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Writes a file so that readers see the old content or the new one, whatever happens in between.
 * @throws InfrastructureError when the disk does not take it; the old content is then untouched
 */
export async function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = temporaryName(`${path}.`, '.tmp');
  try {
    await replace(path, temporary, content);
    await removeLeftovers(dirname(path), `${basename(path)}.`, /^\.tmp$/);
  } catch (error) {
    throw asDiskError(error, path, 'make room or mend the disk; what was there before is kept');
  }
}

async function replace(path: string, temporary: string, content: string | Uint8Array): Promise<void> {
  try {
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    // A disk that fails twice must not hide why it failed first.
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
  await syncFolder(dirname(path));
}
