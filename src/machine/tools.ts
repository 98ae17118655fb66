import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A program that an engine needs besides its own packages. */
export interface Tool {
  readonly name: string;
  /** First line of what `--version` prints; null when it is not there. */
  readonly version: string | null;
  readonly neededFor: string;
  /** The command that installs it. */
  readonly mend: string;
}

/** The C++ compilers that are tried, the one that the user named first. */
const COMPILERS = [process.env.CXX, 'g++', 'clang++'];

/** Looks for compilers; each is only asked for its version. */
export async function findTools(): Promise<Tool[]> {
  const compiler = await firstVersion(COMPILERS.filter((name) => name !== undefined && name !== ''));
  return [
    {
      name: 'C++ compiler',
      version: compiler,
      neededFor: 'engines that compile models',
      mend: process.platform === 'darwin' ? 'xcode-select --install' : 'apt install g++',
    },
  ];
}

async function firstVersion(names: readonly (string | undefined)[]): Promise<string | null> {
  for (const name of names) {
    const version = await versionOf(name!);
    if (version !== null) return version;
  }
  return null;
}

async function versionOf(file: string): Promise<string | null> {
  try {
    const { stdout } = await run(file, ['--version'], { timeout: 10_000, windowsHide: true });
    return stdout.split('\n')[0]?.trim() || null;
  } catch {
    // Not installed, not executable, or broken: all the same to who needs it.
    return null;
  }
}
