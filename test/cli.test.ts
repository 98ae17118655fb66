import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const COMMANDS = [
  'sweep',
  'plan',
  'prepare',
  'report',
  'compare',
  'doctor',
  'setup',
  'new',
  'import',
  'schema',
];

/** The built program; `npm test` builds it first. */
function ortbench(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'dist/cli.js'), ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('help', () => {
  it('lists every command', () => {
    const { status, stdout } = ortbench('--help');
    expect(status).toBe(0);
    for (const command of COMMANDS) expect(stdout).toContain(`  ${command} `);
    expect(stdout).toContain('Exit codes: 0 ok');
  });

  it.each(COMMANDS)('of %s has examples', (command) => {
    const { status, stdout } = ortbench(command, '--help');
    expect(status).toBe(0);
    expect(stdout).toContain(`Examples:\n  $ ortbench ${command}`);
    expect(stdout).toContain('--json');
  });

  it('loads no command and no schema', () => {
    const loaded = new Set<string>();
    const visit = (file: string) => {
      if (loaded.has(file)) return;
      loaded.add(file);
      // Static imports alone: what `import()` names is loaded when it is called for.
      for (const [, target] of readFileSync(file, 'utf8').matchAll(
        /^(?:import|export) (?!type)[^;]*?'(\.[^']+)';/gms,
      ))
        visit(join(dirname(file), target!));
    };
    visit(join(root, 'src/cli.ts'));
    expect([...loaded].map((file) => relative(join(root, 'src'), file)).sort()).toEqual([
      'cli.ts',
      'commands/authoring.ts',
      'commands/define.ts',
      'commands/options.ts',
      'errors.ts',
      'exit-codes.ts',
      'failure.ts',
      'files/package-root.ts',
      'files/redact.ts',
      'machine/version.ts',
    ]);
  });

  it('is a table of contents', () => {
    expect(readFileSync(join(root, 'src/cli.ts'), 'utf8').split('\n').length).toBeLessThanOrEqual(80);
  });
});

describe('mistakes on the command line are exit code 2', () => {
  it.each<[string[], string]>([
    [['plann', 'x'], '(Did you mean plan?)'],
    [['plan'], "missing required argument 'config'"],
    [['plan', 'x.yaml', '--onyl', 'a'], '(Did you mean --only?)'],
    [['plan', 'x.yaml', 'y.yaml'], 'too many arguments'],
    [['plan', '/nowhere/x.yaml'], 'error: /nowhere/x.yaml: no such file'],
    [['prepare', 'llama-nanno'], 'did you mean "llama-nano" or "llama-nano-mha"?'],
    [['report'], "missing required argument 'results'"],
    [['report', '/nowhere'], 'error: /nowhere is not a results folder'],
    [['import', '/nowhere/x.jsonl'], 'error: /nowhere/x.jsonl: no such file'],
    [['new'], 'no model is named, and there is no terminal to ask on'],
    [['schema', 'sweeep'], 'did you mean "sweep"?'],
    [['completion', 'tcsh'], 'hint: shells: bash, zsh, fish'],
    [[], 'Usage: ortbench'],
  ])('%j', (args, message) => {
    const { status, stdout, stderr } = ortbench(...args);
    expect(stderr).toContain(message);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).not.toContain('    at ');
  });
});

it('prints its version', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(ortbench('--version').stdout).toBe(`${version}\n`);
});

it('plans the quickstart, and survives a reader that leaves early', () => {
  const { status, stdout } = ortbench('plan', 'configs/quickstart.yaml', '--json');
  expect(status).toBe(0);
  expect(JSON.parse(stdout).cells).toHaveLength(32);
  const program = `node ${JSON.stringify(join(root, 'dist/cli.js'))} plan configs/quickstart.yaml --json | head -n 1`;
  const piped = spawnSync('bash', ['-o', 'pipefail', '-c', program], { cwd: root, encoding: 'utf8' });
  expect(piped).toMatchObject({ status: 0, stdout: '{\n', stderr: '' });
});
