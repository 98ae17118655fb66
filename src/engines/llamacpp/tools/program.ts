import path from 'node:path';
import { execa } from 'execa';
import { EngineError } from '../../../errors.ts';

/** One of llama.cpp's own programs. */
export interface Program {
  readonly file: string;
  /** In place of this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** ggml looks for its CPU variants beside the program and in the working folder. */
  readonly cwd?: string;
}

/** `variables` are added to its environment. @returns what it printed. @throws EngineError `oom` or `failed` with the program's own last words. */
export async function runProgram(
  { file, env, cwd }: Program,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<string> {
  const result = await execa(file, args, {
    env: { ...env, ...variables },
    extendEnv: env === undefined,
    ...(cwd === undefined ? {} : { cwd }),
    reject: false,
    stdin: 'ignore',
  });
  if (result.exitCode === 0) return result.stdout;
  const said = result.stderr.split('\n').slice(-6).join('\n').trim();
  const how = result.signal ?? `exit code ${result.exitCode}`;
  const code = /alloc|out of memory/i.test(said) ? 'oom' : 'failed';
  throw new EngineError(code, `${path.basename(file)} ended with ${how}${said === '' ? '' : `: ${said}`}`);
}

/** What `--version` says: version, build, compiler. */
export async function programVersion(file: string): Promise<string> {
  const { all = '' } = await execa(file, ['--version'], { all: true, reject: false, timeout: 30_000 });
  const lines = all.split('\n').filter((line) => /^(version|built with)/.test(line));
  return lines.length === 0 ? 'unknown' : lines.map((line) => line.trim()).join(', ');
}
