import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { percentReporter } from '../../../../src/engines/llamacpp/native/compile.ts';
import { runLogged } from '../../../../src/engines/llamacpp/native/run-logged.ts';
import { InfrastructureError } from '../../../../src/errors.ts';

let dir: string;
let logFile: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'ortbench-log-'));
  logFile = path.join(dir, 'build.log');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const node = (script: string) => [process.execPath, ['-e', script]] as const;

it('logs commands and what they print, one after the other', async () => {
  const lines: string[] = [];
  await runLogged(...node('console.log("one")'), { logFile, onLine: (line) => lines.push(line) });
  await runLogged(...node('console.error(process.env.MARK ?? "none")'), { logFile, env: { MARK: 'two' } });
  const log = readFileSync(logFile, 'utf8').split('\n');
  expect(log.filter((line) => !line.startsWith('$ '))).toEqual(['one', 'two', '']);
  expect(log[0]).toContain('console.log("one")');
  expect(lines).toEqual(['one']);
});

it('fails with the end of the output, and says where the rest is', async () => {
  const script = 'for (let i = 1; i <= 60; i++) console.log("line " + i); process.exitCode = 3';
  const error = await runLogged(...node(script), { logFile, hint: 'try again' }).catch((cause) => cause);
  expect(error).toBeInstanceOf(InfrastructureError);
  expect(error.message).toContain('exit code 3');
  expect(error.message).toContain('line 60');
  expect(error.message).not.toContain('line 30\n');
  expect(error.hint).toBe(`try again; the whole log: ${logFile}`);
  expect(readFileSync(logFile, 'utf8')).toContain('line 1\n');
});

it('fails on a program that is not there', async () => {
  await expect(runLogged(path.join(dir, 'nowhere'), [], { logFile })).rejects.toThrow(/ENOENT/);
});

it('shows every ten percent of either build program once', () => {
  const shown: string[] = [];
  const report = percentReporter((line) => shown.push(line));
  for (const line of ['[1/40] a', '[4/40] b', '[5/40] c', 'warning: [9/9] d', '[ 35%] e', '[40/40] f'])
    report(line);
  expect(shown).toEqual([
    'compiling llama.cpp: 10 %',
    'compiling llama.cpp: 30 %',
    'compiling llama.cpp: 100 %',
  ]);
});
