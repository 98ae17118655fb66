import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ENGINES } from '../src/engines/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const src = join(root, 'src');

/** Each folder of src (or file at its top) and what it may import; see CONTRIBUTING.md, "The map". */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  cli: ['commands', 'machine'],
  failure: [],
  commands: [
    'failure',
    'gate',
    'history',
    'config',
    'plan',
    'models',
    'python',
    'fidelity',
    'runner',
    'report',
    'imports',
    'machine',
    'engines',
    'results',
    'stats',
  ],
  config: ['models', 'engines'],
  plan: ['config', 'machine', 'engines'],
  models: ['config', 'python'],
  gate: ['report', 'stats'],
  validate: ['gate', 'stats'],
  history: ['report', 'results', 'stats'],
  runner: ['engines', 'results', 'stats', 'machine'],
  fidelity: ['config', 'runner', 'engines', 'stats', 'machine'],
  imports: ['stats'],
  report: ['stats'],
  engines: ['python', 'machine'],
  python: [],
  machine: [],
  results: ['stats'],
  stats: [],
  files: [],
  schema: [],
  errors: [],
  'exit-codes': [],
  units: [],
};
const EVERYBODY_MAY_IMPORT = ['schema', 'errors', 'exit-codes', 'units', 'files'];

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly area: string;
}

const areaOf = (path: string): string => path.split('/')[0]!.replace(/\.ts$/, '');

const files: SourceFile[] = readdirSync(src, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => {
    const path = relative(src, join(entry.parentPath, entry.name)).replaceAll('\\', '/');
    return { path, text: readFileSync(join(src, path), 'utf8'), area: areaOf(path) };
  });

const IMPORT = /(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g;

function importsOf(file: SourceFile): string[] {
  return [...file.text.matchAll(IMPORT)].map((match) => {
    const target = resolve(src, dirname(file.path), match[1]!);
    return posix.normalize(relative(src, target).replaceAll('\\', '/'));
  });
}

describe('architecture', () => {
  it('has imports that point one way', () => {
    const breaches = files.flatMap((file) => {
      const allowed = MAY_IMPORT[file.area];
      if (allowed === undefined) return [`${file.path}: the folder ${file.area} is not on the map`];
      return importsOf(file)
        .filter((target) => !target.startsWith('..'))
        .filter((target) => {
          const area = areaOf(target);
          return area !== file.area && !allowed.includes(area) && !EVERYBODY_MAY_IMPORT.includes(area);
        })
        .map((target) => `${file.path} imports ${target}`);
    });
    expect(breaches).toEqual([]);
  });

  it('keeps the foundation free of everything above it', () => {
    const foundation = files.filter(({ area }) => EVERYBODY_MAY_IMPORT.includes(area));
    const breaches = foundation.flatMap((file) =>
      importsOf(file)
        .filter((target) => !EVERYBODY_MAY_IMPORT.includes(areaOf(target)))
        .map((target) => `${file.path} imports ${target}`),
    );
    expect(breaches).toEqual([]);
  });

  it('keeps stats pure: no clock, no file, no randomness', () => {
    for (const { path, text, area } of files) {
      if (area === 'stats') expect(text, path).not.toMatch(/node:|Date\.now|Math\.random|process\./);
    }
  });

  it('names engines in their own folders and nowhere else', () => {
    const names = Object.keys(ENGINES).map((id) => new RegExp(`['"\`]${id}['"\`]`));
    const breaches = files
      // models/ and python/ know packages that bear an engine's name.
      .filter(({ area }) => !['engines', 'models', 'python'].includes(area))
      .filter(({ text }) => names.some((name) => name.test(withoutComments(text))))
      .map(({ path }) => path);
    expect(breaches).toEqual([]);
  });

  it('computes rates in one module', () => {
    const division = /(okens|batchSize)[^\n]{0,60}\/[^\n]{0,40}([nN]s|[sS]econds)\b/;
    const breaches = files
      .filter(
        ({ path, text }) =>
          path !== 'stats/rates.ts' && !path.startsWith('plan/') && division.test(codeOnly(text)),
      )
      .map(({ path }) => path);
    expect(breaches).toEqual([]);
  });

  it('keeps files short and has no utils.ts', () => {
    for (const { path, text } of files) {
      expect(text.split('\n').length, `${path} is long: look hard at it`).toBeLessThanOrEqual(250);
      expect(path).not.toMatch(/utils?\.ts$|helpers?\.ts$/);
    }
  });

  it('spawns no shell', () => {
    for (const { path, text } of files)
      expect(text, path).not.toMatch(/shell:\s*true|\bexecSync\(|(?<!\.)\bexec\(/);
  });
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
}

/** Without comments and strings. */
function codeOnly(text: string): string {
  return withoutComments(text).replace(/(['"`])(?:\\.|(?!\1).)*\1/g, "''");
}
