import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { STRINGS_FILE } from './generator.mjs';

export const corpusRoot = fileURLToPath(new URL('./data', import.meta.url));

/** Strings that try to be something else where they are printed. */
export const HOSTILE_STRINGS: readonly string[] = readFileSync(join(corpusRoot, STRINGS_FILE), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => (JSON.parse(line) as { text: string }).text);

/** Names of the files of one kind, sorted. */
export const filesOf = (kind: string): string[] => readdirSync(join(corpusRoot, kind)).sort();

export const pathOf = (kind: string, name: string): string => join(corpusRoot, kind, name);

/** Paths of all files below the corpus, with forward slashes, sorted. */
export const allFiles = (): string[] =>
  readdirSync(corpusRoot, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(corpusRoot, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();

/** True once somebody wrote to what every object inherits. */
export const isPolluted = (): boolean => 'polluted' in {};
