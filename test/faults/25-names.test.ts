import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { HOSTILE_STRINGS } from '../corpus/corpus.ts';
import { HostilePlace, SWEEP } from './workplace.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const places: HostilePlace[] = [];
const newPlace = (): HostilePlace => {
  const place = new HostilePlace();
  places.push(place);
  return place;
};
afterAll(() => {
  for (const place of places) place.remove();
});

/** Notes every process where Node creates it, below all that libraries wrap around it. */
const hook = (log: string) => `
const { ChildProcess } = require('node:child_process');
const fs = require('node:fs');
const note = (file, args) => fs.appendFileSync(${JSON.stringify(log)}, JSON.stringify({ file, args }) + '\\n');
const spawn = ChildProcess.prototype.spawn;
ChildProcess.prototype.spawn = function (options) {
  note(options.file, options.args);
  return spawn.call(this, options);
};
const binding = process.binding('spawn_sync');
const spawnSync = binding.spawn;
binding.spawn = (options) => {
  note(options.file, options.args);
  return spawnSync.call(binding, options);
};
`;

interface Created {
  readonly file: string;
  readonly args: readonly string[];
}
const SHELLS = /^(?:sh|bash|dash|zsh|ksh|csh|tcsh|fish|ash|busybox|cmd|powershell|pwsh)(?:\.exe)?$/i;

async function processesOf(place: HostilePlace, args: readonly string[]) {
  const log = join(place.dir, 'processes.log');
  place.write('watch.cjs', hook(log));
  const ended = await place.run(args, {}, ['--require', join(place.dir, 'watch.cjs'), '--no-deprecation']);
  const text = place.files().find(({ path }) => path === 'processes.log')?.text ?? '';
  const created = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Created);
  return { ended, created };
}

describe('names of models, variants and files', () => {
  it.each([
    '../../x',
    '/etc/passwd',
    'a\u0000b',
    '-flag',
    '--help',
    ';rm -rf ~',
    '$(id)',
    '`id`',
    'a b',
    '*',
  ])('the model %j is refused with exit 2, and nothing is written', async (name) => {
    const place = newPlace();
    place.write('names.yaml', { ...SWEEP, models: [name] });
    const { code, stderr } = await place.run(['sweep', 'names.yaml']);
    expect(code, stderr).toBe(2);
    expect(stderr).toMatch(/names\.yaml:\d+:\d+: |no such file|EISDIR|is no regular file/);
    expect(place.files().map(({ path }) => path)).toEqual(['names.yaml']);
  });

  it('a config of any name is one literal argument, and its results have a name of their own', async () => {
    const place = newPlace();
    const names = ['$(id).yaml', '; touch pwned; .yaml', '-rf.yaml', "'quote'.yaml", '*.yaml', '..yaml'];
    for (const name of names) {
      place.write(name, SWEEP);
      const { code, stderr } = await place.run(['sweep', '--no-parity', '--', name]);
      expect(code, `${name}: ${stderr}`).toBe(0);
    }
    const folders = readdirSync(join(place.dir, 'results'));
    for (const folder of folders) expect(folder).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]*$/);
    expect(readdirSync(place.dir).sort()).toEqual([...names, 'reports', 'results'].sort());
  });
});

describe('processes', () => {
  it('none of those that are really created is a shell', async () => {
    const place = newPlace();
    place.write('names.yaml', {
      ...SWEEP,
      isolation: 'process',
      title: '$(touch pwned) `touch pwned`; touch pwned',
    });
    const { ended, created } = await processesOf(place, ['sweep', 'names.yaml', '--no-parity']);
    expect(ended.code, ended.stderr).toBe(0);
    expect(created.some(({ args }) => args.some((arg) => arg.endsWith('host.js')))).toBe(true);
    for (const command of [
      ['doctor', '--json'],
      ['plan', 'names.yaml', '--probe'],
    ]) {
      const doctor = await processesOf(place, command);
      created.push(...doctor.created);
    }
    expect(created.length).toBeGreaterThan(1);
    for (const { file, args } of created) {
      expect(basename(file), JSON.stringify(args)).not.toMatch(SHELLS);
      expect(args.slice(1).some((arg) => arg.includes('touch pwned'))).toBe(false);
    }
    expect(readdirSync(place.dir)).not.toContain('pwned');
  });

  it('that watch sees a shell when there is one', async () => {
    const place = newPlace();
    const log = join(place.dir, 'processes.log');
    place.write('watch.cjs', hook(log));
    place.write('shell.mjs', "import { execSync } from 'node:child_process'; execSync('true');");
    const { spawnSync } = await import('node:child_process');
    spawnSync(process.execPath, ['--require', join(place.dir, 'watch.cjs'), join(place.dir, 'shell.mjs')]);
    const { file } = JSON.parse(readFileSync(log, 'utf8')) as Created;
    expect(basename(file)).toMatch(SHELLS);
  });
});

describe('sources', () => {
  const sources = (folder: string, endings: RegExp) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && endings.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => !path.includes('__pycache__'))
      .map((path) => ({ path: path.slice(root.length), text: readFileSync(path, 'utf8') }));

  it('of TypeScript and scripts name no shell: programs get their arguments as a list', () => {
    const found = [...sources('src', /\.ts$/), ...sources('scripts', /\.mjs$/)];
    expect(found.length).toBeGreaterThan(100);
    const breaches = found
      // npm is a script on Windows, and no text of a user's is among its arguments there.
      .filter(({ path }) => path !== 'scripts/bootstrap.mjs')
      // Prints scripts for shells, and starts none.
      .filter(({ path }) => path !== 'src/commands/completion.ts')
      .filter(({ text }) =>
        /\bshell:(?!\s*false)|\bexecSync\(|\bexeca?Command|import \{[^}]*\$[^}]*\} from 'execa'|['"](?:\/bin\/)?(?:ba|z|da)?sh['"]|cmd\.exe|(?<![.\w])exec\(/.test(
          text,
        ),
      );
    expect(breaches.map(({ path }) => path)).toEqual([]);
  });

  it('of Python neither run a shell nor load pickles nor evaluate text', () => {
    const found = sources('runners/ortbench_runners', /\.py$/);
    expect(found.length).toBeGreaterThan(20);
    const dangerous =
      /shell\s*=\s*True|os\.(?:system|popen|exec\w*|spawn\w*)\(|subprocess\.getoutput|\bpty\.|\bimport pickle|torch\.load\(|joblib|trust_remote_code\s*=\s*True|(?<![.\w])(?:eval|exec|compile)\(/;
    expect(found.filter(({ text }) => dangerous.test(text)).map(({ path }) => path)).toEqual([]);
  });
});

describe('the protocol', () => {
  it('hands every hostile string on as one literal, there and back', () => {
    for (const text of HOSTILE_STRINGS) {
      const line = JSON.stringify({ message: text });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: a NUL ends a text for some readers
      expect(line).not.toMatch(/[\n\r\u0000]/);
      expect(JSON.parse(line).message).toBe(text);
    }
  });
});
