import { createHash, randomBytes } from 'node:crypto';
import * as nodeFs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InfrastructureError } from '../errors.ts';
import { removeLeftovers, temporaryName } from '../files/leftovers.ts';

export interface OutputFile {
  /** Relative, forward slashes, made by this program: never a name from a record. */
  readonly path: string;
  readonly content: Uint8Array | string | Iterable<string | Uint8Array>;
}

/** The file operations used here, so that tests can make each of them fail. */
export type PublishFs = Pick<
  typeof nodeFs,
  'mkdir' | 'open' | 'rename' | 'rm' | 'readFile' | 'link' | 'copyFile'
>;

/** List of what the report consists of: lets the next one remove files that it does not write any more. */
export const INDEX_FILE = 'report.json';

/** A path that this program could have written: plain names, at most one folder deep. */
const OWN_PATH = /^(?:[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/;

/**
 * Writes files so that a reader never sees half of one, and a failure leaves the earlier report as it was: all are
 * written and synced under a temporary folder beside their place, then renamed, and put back if one of them cannot be.
 * Files are taken one by one, so only one is in memory.
 * @param indexFile of its own for each kind of output that may share a folder
 * @returns the paths written, relative to `folder`, in order.
 * @throws InfrastructureError when the disk does not take them.
 */
export async function publish(
  folder: string,
  files: Iterable<OutputFile> | AsyncIterable<OutputFile>,
  fs: PublishFs = nodeFs,
  indexFile: string = INDEX_FILE,
): Promise<string[]> {
  const staging = join(folder, temporaryName(STAGING, `-${randomBytes(6).toString('hex')}`));
  try {
    await removeLeftovers(folder, STAGING, /^-[0-9a-f]{12}$/);
    await fs.mkdir(staging, { recursive: true });
    const entries: { path: string; sha256: string }[] = [];
    for await (const { path, content } of files) {
      entries.push({ path, sha256: await writeSynced(fs, join(staging, NEW, path), content) });
    }
    const index = `${JSON.stringify({ format: 1, files: entries }, null, 2)}\n`;
    await writeSynced(fs, join(staging, NEW, indexFile), index);
    const paths = [...entries.map(({ path }) => path), indexFile];
    const current = new Set(paths);
    const stale = (await earlierFiles(fs, folder, indexFile)).filter((path) => !current.has(path));
    await exchange(fs, folder, staging, paths, stale);
    return paths;
  } catch (error) {
    throw new InfrastructureError(`the report could not be written to ${folder}: ${messageOf(error)}`, {
      hint: 'check free space and permissions there, then run the command again; an earlier report is kept',
      cause: error,
    });
  } finally {
    // What is left here is of no use, and a failure to remove it must not hide the first failure.
    await fs.rm(staging, { recursive: true, force: true }).catch(() => {});
  }
}

const STAGING = '.report-';
const NEW = 'new';
const OLD = 'old';

/** Puts the new files in place of the old; undone in reverse when any step fails. */
async function exchange(
  fs: PublishFs,
  folder: string,
  staging: string,
  paths: readonly string[],
  stale: readonly string[],
): Promise<void> {
  const undo: (() => Promise<void>)[] = [];
  const folders = new Set([folder, ...[...paths, ...stale].map((path) => dirname(join(folder, path)))]);
  try {
    for (const changed of folders) await fs.mkdir(changed, { recursive: true });
    for (const path of paths) {
      const target = join(folder, path);
      const kept = await keep(fs, target, join(staging, OLD, path));
      // The old file stays in place until this one call replaces it.
      await fs.rename(join(staging, NEW, path), target);
      undo.push(() => (kept === null ? fs.rm(target, { force: true }) : fs.rename(kept, target)));
    }
    for (const path of stale) {
      const target = join(folder, path);
      const kept = await keep(fs, target, join(staging, OLD, path));
      if (kept === null) continue;
      await fs.rm(target);
      undo.push(() => fs.rename(kept, target));
    }
    for (const changed of folders) await syncFolder(fs, changed);
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => {});
    throw error;
  }
}

/** A second name for an existing file, or a copy where the file system has no links; null when there is no such file. */
async function keep(fs: PublishFs, target: string, backup: string): Promise<string | null> {
  await fs.mkdir(dirname(backup), { recursive: true });
  const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? '';
  try {
    await fs.link(target, backup).catch((error: unknown) => {
      if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK'].includes(codeOf(error))) throw error;
      return fs.copyFile(target, backup);
    });
    return backup;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** @returns SHA-256 of what was written. */
async function writeSynced(fs: PublishFs, path: string, content: OutputFile['content']): Promise<string> {
  await fs.mkdir(dirname(path), { recursive: true });
  const hash = createHash('sha256');
  const file = await fs.open(path, 'wx');
  try {
    for (const chunk of typeof content === 'string' || content instanceof Uint8Array ? [content] : content) {
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

/** Makes renames durable. Windows cannot open folders, and needs no such thing. */
async function syncFolder(fs: PublishFs, folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await fs.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Names in the index of an earlier report; anything that is not plainly one of ours is left alone. */
async function earlierFiles(fs: PublishFs, folder: string, indexFile: string): Promise<string[]> {
  let text: string;
  try {
    text = await fs.readFile(join(folder, indexFile), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  try {
    const { files } = JSON.parse(text) as { files?: unknown };
    if (!Array.isArray(files)) return [];
    return files.flatMap((file: unknown) => {
      const path = (file as { path?: unknown } | null)?.path;
      return typeof path === 'string' && OWN_PATH.test(path) ? [path] : [];
    });
  } catch {
    // Not an index of ours: it is replaced, and nothing is removed on its word.
    return [];
  }
}
