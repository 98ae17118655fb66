import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ortbench completion-'));
const script = (shell: string) => join(folder, `completion.${shell}`);
const run = (file: string, args: readonly string[]) =>
  spawnSync(file, args, { cwd: folder, encoding: 'utf8' });
const ortbench = (...args: string[]) => run(process.execPath, [cli, ...args]);
const has = (shell: string) => run(shell, ['-c', 'true']).status === 0;

beforeAll(() => {
  mkdirSync(join(folder, 'configs'));
  writeFileSync(join(folder, 'configs', 'mine.yaml'), '');
  mkdirSync(join(folder, 'results', 'night-1'), { recursive: true });
  writeFileSync(join(folder, 'results', 'night-1', 'manifest.json'), '{}');
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout, status, stderr } = ortbench('completion', shell);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    writeFileSync(script(shell), stdout);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Candidates without the descriptions that stand behind them. */
const complete = (...words: string[]) =>
  ortbench('complete', '--', ...words)
    .stdout.split('\n')
    .filter((line) => line !== '' && !line.startsWith(':'))
    .map((line) => line.split('\t')[0]);

describe('candidates', () => {
  it.each<[string[], string[]]>([
    [['pl'], ['plan']],
    [['plan', '--pro'], ['--probe']],
    [['plan', 'configs/m'], ['configs/mine.yaml']],
    [['plan', ''], ['configs/mine.yaml']],
    [['report', 'res'], ['results/night-1']],
    [['report', 'results/night-1', 'res'], ['results/night-1']],
    [['prepare', 'llama-t'], ['llama-tiny']],
    [
      ['prepare', 'x', '--engine', 'onnx'],
      ['onnxruntime', 'onnxruntime-js'],
    ],
    [['new', '--precision', 'int'], ['int4']],
    [
      ['new', 'phi-2', '--device', ''],
      ['cpu', 'cuda', 'webgpu'],
    ],
    [['completion', 'z'], ['zsh']],
    [['plan', 'nowhere/'], []],
    [['import', ''], ['results/night-1/manifest.json']],
  ])('%j', (words, expected) => {
    expect(complete(...words)).toEqual(expected);
  });

  it('are all commands, and not the one that answers shells', () => {
    const commands = complete('');
    for (const command of ['sweep', 'plan', 'report', 'compare', 'import', 'new', 'schema', 'completion'])
      expect(commands).toContain(command);
    expect(commands).not.toContain('complete');
  });
});

it('a shell that there is none for is exit code 2', () => {
  const { status, stderr } = ortbench('completion', 'tcsh');
  expect(status).toBe(2);
  expect(stderr).toContain('hint: shells: bash, zsh, fish');
});

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: these are expansions of bash
it('bash completes commands, options, models and files', () => {
  const ask = (line: string) => {
    const words = line.split(' ');
    const program = [
      // Works while completing only.
      'compopt() { :; }',
      `source ${JSON.stringify(script('bash'))}`,
      'complete -p ortbench >/dev/null || exit 9',
      `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; COMP_LINE='${line}'; COMP_POINT=${line.length}`,
      'function_name=$(complete -p ortbench | sed "s/.*-F \\([^ ]*\\).*/\\1/")',
      '$function_name ortbench; printf "%s\\n" "${COMPREPLY[@]}"',
    ].join('\n');
    const { stdout, stderr, status } = run('bash', ['-c', program]);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    return stdout
      .split('\n')
      .map((text) => text.replace(/\s+\(.*$/, '').trim())
      .filter((text) => text !== '');
  };
  expect(ask('ortbench pl')).toEqual(['plan']);
  expect(ask('ortbench prepare llama-t')).toEqual(['llama-tiny']);
  expect(ask('ortbench plan configs/')).toEqual(['configs/mine.yaml']);
  expect(ask('ortbench report results/')).toEqual(['results/night-1']);
  expect(ask('ortbench plan --pro')).toEqual(['--probe']);
});

// biome-ignore-end lint/suspicious/noTemplateCurlyInString: these were expansions of bash

it.skipIf(!has('fish'))('fish completes commands, models and files', () => {
  const ask = (line: string) => {
    const program = `source ${JSON.stringify(script('fish'))}; complete --do-complete ${JSON.stringify(line)}`;
    const { stdout, status } = run('fish', ['--no-config', '-c', program]);
    expect(status).toBe(0);
    return stdout
      .split('\n')
      .filter((text) => text !== '')
      .map((text) => text.split('\t')[0]);
  };
  expect(ask('ortbench pl')).toEqual(['plan']);
  expect(ask('ortbench prepare llama-t')).toEqual(['llama-tiny']);
  expect(ask('ortbench plan configs/')).toEqual(['configs/mine.yaml']);
});

it.skipIf(!has('zsh'))('zsh takes the script', () => {
  const program = `autoload -Uz compinit; compinit -u -D; source ${JSON.stringify(script('zsh'))}; print -r -- $_comps[ortbench]`;
  const { stdout, status } = run('zsh', ['-f', '-c', program]);
  expect({ status, stdout }).toEqual({ status: 0, stdout: '_ortbench\n' });
});
