import path from 'node:path';
import { execa } from 'execa';
import { UserError } from '../../../errors.ts';

export interface Compiler {
  readonly kind: 'GCC' | 'Clang';
  readonly version: string;
}

export interface Toolchain {
  readonly cmakeVersion: string;
  /** Program names or paths. */
  readonly c: string;
  readonly cxx: string;
  readonly compiler: Compiler;
  readonly generator: 'Ninja' | 'Unix Makefiles';
}

/** First whose float kernels keep their accumulators in registers. */
const LEAST_GCC = 12;
const LEAST_CMAKE = [3, 14] as const;
/** Tried in this order unless CXX names one: the system's own first, then newer ones that lie beside an old one. */
const COMPILERS = ['g++', 'g++-15', 'g++-14', 'g++-13', 'g++-12', 'clang++'];

/** What `--version` prints, or null where the program cannot be started. */
export type AskVersion = (program: string) => Promise<string | null>;

/**
 * Finds CMake, a C and a C++ compiler, and Ninja where it is. The environment's CXX and CC win.
 * @throws UserError naming what is missing or too old, with the command that installs it.
 */
export async function findToolchain(
  again: string,
  ask: AskVersion = askVersion,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Toolchain> {
  if (process.platform === 'win32') {
    throw new UserError('a native llama.cpp is built on Linux and macOS only', {
      hint: 'build it yourself and name its folder in the engine option libraryDir',
    });
  }
  const problems: string[] = [];
  const packages: string[] = [];
  const cmakeVersion = parseCMake(await ask('cmake'));
  if (cmakeVersion === null || isOlder(cmakeVersion, LEAST_CMAKE)) {
    problems.push(cmakeVersion === null ? 'CMake is not installed' : `CMake ${cmakeVersion} is too old`);
    packages.push('cmake');
  }
  const found = await findCompiler(env.CXX, ask);
  if ('problem' in found) {
    problems.push(found.problem);
    packages.push(...found.packages);
  }
  const ninja = (await ask('ninja')) !== null;
  if (problems.length > 0 || 'problem' in found) {
    throw new UserError(`llama.cpp cannot be built here: ${problems.join('; ')}`, {
      hint: installHint(ninja ? packages : [...packages, 'ninja-build'], again),
    });
  }
  const c = env.CC || cCompilerFor(found.cxx);
  if ((await ask(c)) === null) {
    throw new UserError(`the C compiler ${c}, which belongs to ${found.cxx}, cannot be started`, {
      hint: `install it, or name another in the environment variable CC; then: ${again}`,
    });
  }
  const generator = ninja ? 'Ninja' : 'Unix Makefiles';
  if (!ninja && (await ask('make')) === null) {
    throw new UserError('llama.cpp cannot be built here: neither Ninja nor Make is installed', {
      hint: installHint(['ninja-build'], again),
    });
  }
  return { cmakeVersion: cmakeVersion!, c, cxx: found.cxx, compiler: found.compiler, generator };
}

type FoundCompiler = { cxx: string; compiler: Compiler } | { problem: string; packages: string[] };

async function findCompiler(chosen: string | undefined, ask: AskVersion): Promise<FoundCompiler> {
  const tooOld: string[] = [];
  for (const cxx of chosen ? [chosen] : COMPILERS) {
    const text = await ask(cxx);
    if (text === null) continue;
    const compiler = parseCompiler(text);
    if (compiler === null) {
      if (chosen) return { problem: `CXX names ${cxx}, which is neither GCC nor Clang`, packages: ['g++'] };
      continue;
    }
    const major = Number.parseInt(compiler.version, 10);
    if (compiler.kind === 'Clang' || major >= LEAST_GCC) return { cxx, compiler };
    tooOld.push(`${cxx} is GCC ${compiler.version}, whose float kernels are slow`);
  }
  if (tooOld.length > 0) {
    return { problem: `${tooOld[0]}: GCC ${LEAST_GCC} or Clang is needed`, packages: [`g++-${LEAST_GCC}`] };
  }
  const problem = chosen
    ? `CXX names ${chosen}, which cannot be started`
    : 'there is no C++ compiler (GCC 12 or newer, or Clang)';
  return { problem, packages: ['g++'] };
}

function installHint(packages: readonly string[], again: string): string {
  const install =
    process.platform === 'darwin'
      ? 'xcode-select --install; brew install cmake ninja'
      : `Debian and Ubuntu: sudo apt-get install ${packages.join(' ')}`;
  return `${install}; the environment variable CXX names another compiler; then: ${again}`;
}

/** Clang writes its name; GCC prints its packager in brackets, then its version, and the owner of its copyright. */
export function parseCompiler(text: string): Compiler | null {
  const clang = /clang version (\d+(?:\.\d+)*)/.exec(text);
  if (clang) return { kind: 'Clang', version: clang[1]! };
  const gcc = /^\S+ \(.*\) (\d+(?:\.\d+)+)/.exec(text);
  return gcc && /Free Software Foundation/.test(text) ? { kind: 'GCC', version: gcc[1]! } : null;
}

const parseCMake = (text: string | null): string | null =>
  /cmake version (\d+\.\d+(?:\.\d+)?)/.exec(text ?? '')?.[1] ?? null;

function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [a = 0, b = 0] = version.split('.').map(Number);
  return a < major || (a === major && b < minor);
}

/** Of the same family and version: g++-12 → gcc-12, clang++ → clang, c++ → cc. */
export function cCompilerFor(cxx: string): string {
  const base = path.basename(cxx);
  const name = base.startsWith('clang')
    ? base.replace('clang++', 'clang')
    : base.replace('g++', 'gcc').replace(/^c\+\+/, 'cc');
  return cxx.slice(0, cxx.length - base.length) + name;
}

async function askVersion(program: string): Promise<string | null> {
  const { exitCode, stdout } = await execa(program, ['--version'], {
    reject: false,
    stdin: 'ignore',
    timeout: 30_000,
    // What it prints is read.
    env: { LC_ALL: 'C' },
  });
  return exitCode === 0 ? stdout : null;
}
