import { mkdir, open, readdir, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InfrastructureError } from '../errors.ts';
import { syncFolder } from '../files/atomic.ts';
import { cacheRoot } from '../files/cache-root.ts';
import { acquireLock } from '../files/lock.ts';
import { ARTEFACT_FILE, type ArtefactFile, readArtefactFile } from './artefact-file.ts';
import { changedFiles, type FileState, hashedState, writeVerified } from './verified-files.ts';

const artefactsDir = (): string => join(cacheRoot(), 'artefacts');
export const entryDir = (name: string): string => join(artefactsDir(), name);

export interface MakeOptions {
  readonly force?: boolean | undefined;
  readonly onProgress?: ((line: string) => void) | undefined;
  /** What a user should still see when all is done; takes the way of progress unless given. */
  readonly onWarning?: ((line: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type ListedFile = ArtefactFile['files'][number];

/** An entry whose files have the sizes of its description, and those of them whose content is no longer that. */
export interface EntryState {
  readonly file: ArtefactFile;
  readonly changed: readonly string[];
}

/** Null when there is no complete entry. Reads files whose content was not verified since they last changed. */
export async function entryState(
  name: string,
  onProgress: (line: string) => void = () => {},
): Promise<EntryState | null> {
  const dir = entryDir(name);
  const file = await readArtefactFile(dir);
  return file === null ? null : { file, changed: await changedFiles(dir, file, onProgress) };
}

/**
 * The entry of that name, made by `make` when it is missing, when its files changed since, or when `accepts` does not take
 * it. `make` fills an empty folder; `describe` gives the content of artefact.json. The folder gets its name only when all is on disk, so an entry is whole or absent; one process makes
 * it while others wait.
 */
export async function ensureEntry(
  name: string,
  make: (dir: string) => Promise<void>,
  describe: (files: readonly ListedFile[]) => Promise<ArtefactFile> | ArtefactFile,
  { force = false, onProgress = () => {}, onWarning = onProgress, signal }: MakeOptions,
  accepts: (file: ArtefactFile) => boolean = () => true,
): Promise<{ file: ArtefactFile; made: boolean }> {
  const dir = entryDir(name);
  const isSound = (state: EntryState | null): state is EntryState =>
    state !== null && state.changed.length === 0 && accepts(state.file);
  const present = force ? null : await entryState(name, onProgress);
  if (isSound(present)) return { file: present.file, made: false };
  const lock = await acquireLock(join(artefactsDir(), `${name}.lock`), {
    wait: true,
    onWait: onProgress,
    ...(signal === undefined ? {} : { signal }),
  });
  try {
    // Another process may have made it while this one waited.
    const found = force ? null : await entryState(name, onProgress);
    if (isSound(found)) return { file: found.file, made: false };
    if (found !== null) onWarning(whyAnew(found));
    await removeLeftovers(name);
    const temporary = join(artefactsDir(), `.${name}.${process.pid}.tmp`);
    await mkdir(temporary, { recursive: true });
    try {
      await make(temporary);
      const states = await listFiles(temporary);
      const file = await describe(
        states.map(({ path, bytes, sha256 }) => ({ path, bytes: Number(bytes), sha256 })),
      );
      await writeFile(join(temporary, ARTEFACT_FILE), `${JSON.stringify(file, null, 2)}\n`);
      await writeVerified(temporary, states);
      await publish(temporary, dir);
      return { file, made: true };
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      throw diskError(error);
    }
  } finally {
    await lock.release();
  }
}

/** Folders of this entry that a killed process left; the lock says that nobody is working on them. */
async function removeLeftovers(name: string): Promise<void> {
  const leftovers = (await readdir(artefactsDir())).filter(
    (entry) => entry.startsWith(`.${name}.`) && /\.(tmp|old)$/.test(entry),
  );
  for (const entry of leftovers) await rm(join(artefactsDir(), entry), { recursive: true, force: true });
}

const whyAnew = ({ file: { precision, kind, model }, changed }: EntryState): string =>
  changed.length > 0
    ? `the ${precision} ${kind} of ${model} in the cache is not what was made (${changed.join(', ')} changed): it is made anew`
    : `the ${precision} ${kind} of ${model} in the cache was made from another checkpoint: it is made anew`;

async function listFiles(dir: string): Promise<FileState[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files: FileState[] = [];
  for (const entry of entries.filter((found) => found.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const relative = path.slice(dir.length + 1).replaceAll('\\', '/');
    files.push(await hashedState(dir, relative));
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function publish(temporary: string, dir: string): Promise<void> {
  await syncTree(temporary);
  // A folder cannot be renamed onto one that is not empty. Processes that still read the old files keep them open.
  const old = join(artefactsDir(), `.${dir.slice(artefactsDir().length + 1)}.${process.pid}.old`);
  await rename(dir, old).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await rename(temporary, dir);
  await syncFolder(artefactsDir());
  await rm(old, { recursive: true, force: true });
}

async function syncTree(dir: string): Promise<void> {
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) {
      await syncTree(path);
      continue;
    }
    const file = await open(path, 'r+');
    await file.sync();
    await file.close();
  }
  await syncFolder(dir);
}

function diskError(error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'EIO') return error;
  return new InfrastructureError(`the model cache cannot be written: ${(error as Error).message}`, {
    hint: ROOM_HINT,
    cause: error,
  });
}

const ROOM_HINT = 'make room, or name a folder with more of it in ORTBENCH_CACHE';

/** Refuses before minutes of work when the disk cannot hold what they would make. */
export async function requireRoom(bytes: number, what: string): Promise<void> {
  await mkdir(artefactsDir(), { recursive: true });
  const { bavail, bsize } = await statfs(artefactsDir());
  if (bavail * bsize >= bytes) return;
  const gib = (value: number) => (value / 2 ** 30).toFixed(1);
  throw new InfrastructureError(
    `${what} needs ${gib(bytes)} GiB, and the disk of ${artefactsDir()} has ${gib(bavail * bsize)} GiB left`,
    { hint: ROOM_HINT },
  );
}

export interface CacheUsage {
  readonly root: string;
  readonly bytes: number;
  readonly artefacts: readonly (Pick<ArtefactFile, 'model' | 'kind' | 'precision' | 'device' | 'bytes'> & {
    readonly dir: string;
  })[];
}

/** Disk used by prepared models, from their descriptions. */
export async function cacheUsage(): Promise<CacheUsage> {
  const root = artefactsDir();
  const names = (await readdir(root).catch(() => [])).filter((name) => !name.startsWith('.')).sort();
  const artefacts: CacheUsage['artefacts'][number][] = [];
  for (const name of names) {
    const file = await readArtefactFile(join(root, name));
    if (file === null) continue;
    const { model, kind, precision, device, bytes } = file;
    artefacts.push({ model, kind, precision, device, bytes, dir: join(root, name) });
  }
  return { root, bytes: artefacts.reduce((sum, { bytes }) => sum + bytes, 0), artefacts };
}
