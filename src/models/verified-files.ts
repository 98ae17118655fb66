import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../files/atomic.ts';
import { formatMiB } from '../units.ts';
import type { ArtefactFile } from './artefact-file.ts';
import { hashFile } from './hashing.ts';

/** Beside artefact.json: what the files were like when their content was last read and hashed. No part of the artefact. */
export const VERIFIED_FILE = 'verified.json';

/**
 * Changes with every write to a file, also one that leaves size and mtime as they were: ctime cannot be set. Renaming the
 * folder around it changes nothing of it.
 */
const stateSchema = z.strictObject({
  path: z.string(),
  bytes: z.string(),
  mtimeNs: z.string(),
  ctimeNs: z.string(),
  ino: z.string(),
  sha256: z.string(),
});
const verifiedSchema = z.strictObject({ format: z.literal(1), files: z.array(stateSchema) });
export type FileState = z.infer<typeof stateSchema>;

/** State first and hash after it: what is written meanwhile has another state the next time. */
export async function hashedState(dir: string, path: string): Promise<FileState> {
  const state = await stateOf(dir, path);
  return { ...state, sha256: await hashFile(join(dir, path)) };
}

async function stateOf(dir: string, path: string): Promise<Omit<FileState, 'sha256'>> {
  const { size, mtimeNs, ctimeNs, ino } = await stat(join(dir, path), { bigint: true });
  return {
    path,
    bytes: String(size),
    mtimeNs: String(mtimeNs),
    ctimeNs: String(ctimeNs),
    ino: String(ino),
  };
}

export async function writeVerified(dir: string, files: readonly FileState[]): Promise<void> {
  await writeFileAtomic(join(dir, VERIFIED_FILE), `${JSON.stringify({ format: 1, files }, null, 2)}\n`);
}

async function stamp(dir: string, files: readonly FileState[]): Promise<void> {
  try {
    await writeVerified(dir, files);
  } catch (error) {
    const { code } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
    if (!NOT_OURS.has(code ?? '')) throw error;
  }
}

/** A cache that is shared and not ours to write costs the hashing every time; one made anew meanwhile has its own stamp. */
const NOT_OURS = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOENT']);

/**
 * Files of an artefact whose content is no longer what its description says. Each content is read once; afterwards the
 * state of the file stands for it, until that changes.
 */
export async function changedFiles(
  dir: string,
  { files, model, kind, precision }: ArtefactFile,
  onProgress: (line: string) => void,
): Promise<string[]> {
  const known = new Map((await readVerified(dir)).map((state) => [state.path, state]));
  const states = await Promise.all(files.map(({ path }) => stateOf(dir, path)));
  const stale = states.filter((state) => !isSameState(state, known.get(state.path)));
  if (stale.length > 0) {
    const mib = stale.reduce((sum, { bytes }) => sum + Number(bytes), 0) / 2 ** 20;
    onProgress(`verifying the ${precision} ${kind} of ${model} (${formatMiB(mib)})`);
    for (const { path } of stale) known.set(path, await hashedState(dir, path));
    await stamp(
      dir,
      files.map(({ path }) => known.get(path)!),
    );
  }
  return files.filter(({ path, sha256 }) => known.get(path)!.sha256 !== sha256).map(({ path }) => path);
}

function isSameState(now: Omit<FileState, 'sha256'>, known: FileState | undefined): boolean {
  if (known === undefined) return false;
  return (['bytes', 'mtimeNs', 'ctimeNs', 'ino'] as const).every((fact) => now[fact] === known[fact]);
}

/** Nothing is known where the stamp is absent or torn: the files are then read again. */
async function readVerified(dir: string): Promise<readonly FileState[]> {
  const text = await readFile(join(dir, VERIFIED_FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return [];
  try {
    return verifiedSchema.parse(JSON.parse(text)).files;
  } catch {
    return [];
  }
}
