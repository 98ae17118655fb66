import { type Dirent, readdirSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import tab from '@bomb.sh/tab';
import type { Command } from 'commander';
import { ENGINES } from '../engines/index.ts';
import { UserError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { modelNames } from '../models/catalogue.ts';
import { DEVICES, PRECISIONS } from '../schema/vocabulary.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** Values are found for the word as far as it is typed; those that do not begin with it are left out by the library. */
type Values = (typed: string) => readonly string[];

const engines: Values = () => Object.keys(ENGINES);
const yaml: Values = (typed) => filesBelow(typed, ({ name }) => /\.ya?ml$/i.test(name));
const tables: Values = (typed) => filesBelow(typed, ({ name }) => /\.jsonl?$/i.test(name));
const runs: Values = (typed) => [
  ...new Set(filesBelow(typed, ({ name }) => name === 'manifest.json').map(posixFolder)),
];

/** By the name of the argument, as `--help` prints it. */
const ARGUMENTS: Readonly<Record<string, Values>> = {
  config: yaml,
  'config-or-model': (typed) => [...modelNames(), ...yaml(typed)],
  'config-or-results': (typed) => [...yaml(typed), ...runs(typed)],
  results: runs,
  file: tables,
  model: (typed) => [...modelNames(), ...yaml(typed)],
  engine: engines,
  shell: () => SHELLS,
};

/** By the option's long name; the others take words of the user's own. */
const OPTIONS: Readonly<Record<string, Values>> = {
  engine: engines,
  baseline: engines,
  candidate: engines,
  model: modelNames,
  precision: () => PRECISIONS,
  device: () => DEVICES,
  against: (typed) => [...yaml(typed), ...runs(typed)],
  beside: runs,
  'noise-from': runs,
  cells: yaml,
  only: () => [
    ...Object.keys(ENGINES).map((id) => `engine=${id}`),
    ...PRECISIONS.map((precision) => `precision=${precision}`),
    ...DEVICES.map((device) => `device=${device}`),
    ...modelNames().map((name) => `model=${name}`),
  ],
};

/** The script asks for words as the package bash-completion cuts them; where that is missing, as bash itself does. */
const WORDS_IN_BASH = `if ! declare -F _get_comp_words_by_ref >/dev/null; then
  _get_comp_words_by_ref() {
    words=("\${COMP_WORDS[@]}"); cword=$COMP_CWORD
    cur="\${COMP_WORDS[COMP_CWORD]}"; prev="\${COMP_WORDS[COMP_CWORD-1]}"
  }
fi`;

/** `ortbench completion SHELL`: the script that a shell reads once; it asks `ortbench complete` on every TAB. */
export async function runCompletion(shell: string): Promise<number> {
  if (!(SHELLS as readonly string[]).includes(shell)) {
    throw new UserError(`there is no completion for ${JSON.stringify(shell)}`, {
      hint: `shells: ${SHELLS.join(', ')}`,
    });
  }
  // By its whole path: what is completed is then the program that wrote the script, on the PATH or not.
  const program = [process.execPath, process.argv[1]!].map(quote).join(' ');
  if (shell === 'bash') console.log(WORDS_IN_BASH);
  tab.setup('ortbench', program, shell);
  return EXIT.ok;
}

/** A word for a shell's eval. The scripts put it in double quotes, so those characters are what must be escaped. */
const quote = (word: string): string =>
  /^[A-Za-z0-9_./:+-]+$/.test(word)
    ? word
    : word.replace(/[^A-Za-z0-9_./:+-]/g, (character) => `\\\\${character}`);

/** Answers a shell: candidates for the last of the words typed, one a line. */
export function runComplete(program: Command, words: readonly string[]): number {
  const typed = words.at(-1) ?? '';
  for (const command of program.commands.filter((each) => each.name() !== 'complete')) {
    const entry = tab.command(command.name(), command.description());
    for (const option of command.options) {
      const name = option.long?.replace(/^--/, '');
      if (name === undefined) continue;
      // A flag has no value to wait for; an option without known values still has one.
      if (option.isBoolean() || option.negate) entry.option(name, option.description);
      else entry.option(name, option.description, offer(OPTIONS[name], typedValue(typed)));
    }
    for (const argument of command.registeredArguments)
      entry.argument(argument.name(), offer(ARGUMENTS[argument.name()], typed), argument.variadic);
  }
  tab.parse([...words]);
  return EXIT.ok;
}

/** Of "--only=eng" what is being typed is "eng". */
const typedValue = (typed: string): string =>
  typed.slice(typed.startsWith('--') ? typed.indexOf('=') + 1 : 0);

const offer =
  (values: Values | undefined, typed: string) =>
  (complete: (value: string, description: string) => void): void => {
    for (const value of values?.(typed) ?? []) complete(value, '');
  };

/** Folders looked into below the one that is typed, and files offered: enough for a project, quick in any folder. */
const MAX_DEPTH = 3;
const MAX_FILES = 300;
const MAX_FOLDERS = 200;

function filesBelow(typed: string, wanted: (file: Dirent) => boolean): string[] {
  const start = typed.endsWith('/') ? typed : typed.includes('/') ? `${dirname(typed)}/` : '';
  const found: string[] = [];
  let visited = 0;
  const visit = (folder: string, depth: number): void => {
    if (visited++ > MAX_FOLDERS) return;
    for (const entry of entriesOf(folder === '' ? '.' : folder)) {
      if (found.length >= MAX_FILES) return;
      if (entry.isFile() && wanted(entry)) found.push(`${folder}${entry.name}`);
      const isOurs = !entry.name.startsWith('.') && entry.name !== 'node_modules';
      if (entry.isDirectory() && isOurs && depth < MAX_DEPTH) visit(join(folder, entry.name, '/'), depth + 1);
    }
  };
  visit(start, 1);
  return found;
}

/** A folder that cannot be listed has nothing to offer; TAB is no place for an error. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

const posixFolder = (file: string): string => posix.dirname(file.replaceAll('\\', '/'));
