import type { Dirent } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UserError } from '../errors.ts';
import { MANIFEST_FILE } from '../results/reader.ts';

/** Results folders that make up one point in time. */
export interface FoundRun {
  /** More than one where a gate ran its two sides in turns: each folder is one round then. */
  readonly folders: readonly string[];
  readonly side: 'baseline' | null;
}

/** Folders of folders, as a nightly job leaves them, are this deep at most. */
const DEEPEST = 6;

/**
 * Every run at or below the given folders. Of a gate only the first stage counts: the second one measures again what
 * looked slow, so that it would show some cells twice, and chosen by their speed.
 * @throws UserError for a path without any results
 */
export async function findRuns(paths: readonly string[]): Promise<FoundRun[]> {
  const found: FoundRun[] = [];
  const seen = new Set<string>();
  for (const path of paths) {
    const runs = await runsBelow(path, DEEPEST).catch((error: unknown) => {
      throw new UserError(`${path} cannot be read: ${(error as Error).message}`, {
        hint: 'name results folders, or a folder that holds some',
        cause: error,
      });
    });
    if (runs.length === 0) {
      throw new UserError(`${path} holds no results: no folder there has a ${MANIFEST_FILE}`, {
        hint: 'name results folders, or a folder that holds some, for example results/nightly',
      });
    }
    for (const run of runs) {
      const place = await realpath(run.folders[0]!);
      if (!seen.has(place)) found.push(run);
      seen.add(place);
    }
  }
  return found;
}

async function runsBelow(folder: string, depth: number): Promise<FoundRun[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  if (entries.some(({ name }) => name === MANIFEST_FILE)) return [{ folders: [folder], side: null }];
  const stage = entries.find((entry) => entry.isDirectory() && entry.name === 'stage1');
  if (stage) return firstStage(join(folder, stage.name));
  if (depth === 0) return [];
  const runs: FoundRun[] = [];
  for (const name of foldersOf(entries)) runs.push(...(await runsBelow(join(folder, name), depth - 1)));
  return runs;
}

/** One results folder for both variants, or `000-baseline`, `000-candidate`, … in turns. */
async function firstStage(folder: string): Promise<FoundRun[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  if (entries.some(({ name }) => name === MANIFEST_FILE)) return [{ folders: [folder], side: null }];
  const ofSide = (side: string) =>
    foldersOf(entries)
      .filter((name) => basename(name).endsWith(`-${side}`))
      .map((name) => join(folder, name));
  const sides: FoundRun[] = [
    { folders: ofSide('baseline'), side: 'baseline' },
    { folders: ofSide('candidate'), side: null },
  ];
  return sides.filter(({ folders }) => folders.length > 0);
}

const foldersOf = (entries: readonly Dirent[]): string[] =>
  entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort();
