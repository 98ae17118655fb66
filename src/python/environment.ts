import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { InfrastructureError, UserError } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic.ts';
import { cacheRoot } from '../files/cache-root.ts';
import { acquireLock } from '../files/lock.ts';
import {
  chosenInterpreter,
  findSystemPython,
  interpreterIn,
  requireSystemPython,
  type SystemPython,
} from './interpreter.ts';
import { platformLock, universalConstraints, universalLock } from './locks.ts';

/** Written last: an environment without it is half made, and made anew. */
const MARKER = 'ortbench-ready';

/** One environment for each pair of lock files and Python version, so that an update never mixes two. */
async function environmentDir(python: SystemPython): Promise<string> {
  const hash = createHash('sha256');
  for (const lock of [universalLock, platformLock]) hash.update(await readFile(lock));
  return join(cacheRoot(), `python-${hash.update(python.version).digest('hex').slice(0, 12)}`);
}

const isReady = (dir: string): Promise<boolean> =>
  access(join(dir, MARKER)).then(
    () => true,
    () => false,
  );

/**
 * The interpreter of the environment with the pinned packages, or null where it is not made yet. Makes and installs
 * nothing. @throws UserError when ORTBENCH_PYTHON names none.
 */
export async function findPythonEnvironment(): Promise<string | null> {
  const chosen = await chosenInterpreter();
  if (chosen !== null) return chosen;
  const python = await findSystemPython();
  if (python === null) return null;
  const dir = await environmentDir(python);
  return (await isReady(dir)) ? interpreterIn(dir) : null;
}

/**
 * Makes the environment where it is missing (some minutes, a few GB with CUDA builds of PyTorch) and returns its
 * interpreter. Safe when two processes ask at once: the second waits. `onProgress` gets single lines.
 * @throws UserError without a usable Python, InfrastructureError when packages cannot be installed.
 */
export async function ensurePythonEnvironment(onProgress: (line: string) => void): Promise<string> {
  const chosen = await chosenInterpreter();
  if (chosen !== null) return chosen;
  const python = await requireSystemPython();
  const dir = await environmentDir(python);
  const interpreter = interpreterIn(dir);
  if (await isReady(dir)) return interpreter;
  await mkdir(cacheRoot(), { recursive: true });
  const lock = await acquireLock(`${dir}.lock`, {
    wait: true,
    onWait: () => onProgress('another ortbench is making the Python environment: waiting for it'),
  });
  try {
    if (await isReady(dir)) return interpreter;
    await rm(dir, { recursive: true, force: true });
    onProgress(`making a Python ${python.version} environment`);
    await makeEmpty(python, dir);
    await installPackages(interpreter, dir, onProgress);
    await writeFileAtomic(join(dir, MARKER), `${python.version}\n`);
    onProgress('the Python environment is ready');
    return interpreter;
  } finally {
    await lock.release();
  }
}

/** Another environment's variables would lead the new interpreter to that one's packages. */
export function installerEnvironment(): Record<string, string | undefined> {
  const {
    PYTHONPATH: _path,
    PYTHONHOME: _home,
    VIRTUAL_ENV: _venv,
    __PYVENV_LAUNCHER__: _,
    ...rest
  } = process.env;
  return rest;
}

async function makeEmpty(python: SystemPython, dir: string): Promise<void> {
  const { exitCode, all } = await execa(python.file, ['-m', 'venv', dir], {
    reject: false,
    all: true,
    stdin: 'ignore',
    env: installerEnvironment(),
    extendEnv: false,
  });
  if (exitCode === 0) return;
  if (/ensurepip|No module named venv/.test(all ?? '')) {
    throw new UserError(
      `${python.file} cannot make environments: its modules venv or ensurepip are missing`,
      {
        hint: 'apt install python3-venv',
      },
    );
  }
  throw new InfrastructureError(`making a Python environment failed: ${lastLines(all)}`, {
    hint: `is there room and permission to write in ${cacheRoot()}? ORTBENCH_CACHE names another folder`,
  });
}

/** First what is the same everywhere, by hash; then the rest, which may not exchange any of it. */
async function installPackages(
  interpreter: string,
  dir: string,
  onProgress: (line: string) => void,
): Promise<void> {
  const constraints = join(dir, 'universal-versions.txt');
  await writeFileAtomic(constraints, universalConstraints());
  await pipInstall(
    interpreter,
    ['--require-hashes', '--no-deps', '--requirement', universalLock],
    onProgress,
  );
  await pipInstall(interpreter, ['--requirement', platformLock, '--constraint', constraints], onProgress);
}

async function pipInstall(
  interpreter: string,
  what: readonly string[],
  onProgress: (line: string) => void,
): Promise<void> {
  const pip = execa(
    interpreter,
    [
      ...['-m', 'pip', 'install', '--no-input', '--disable-pip-version-check', '--progress-bar', 'off'],
      // A package that had to be built here would be another one than was tested.
      ...['--only-binary', ':all:', ...what],
    ],
    { reject: false, all: true, stdin: 'ignore', env: installerEnvironment(), extendEnv: false },
  );
  const last: string[] = [];
  for await (const line of pip.iterable({ from: 'all' })) {
    const text = line.trim();
    if (text === '') continue;
    last.push(text);
    if (last.length > 8) last.shift();
    // Warnings about the indexes of the user's own pip configuration are many, and of use only when it fails.
    if (!text.startsWith('WARNING:')) onProgress(text);
  }
  const { exitCode } = await pip;
  if (exitCode === 0) return;
  throw new InfrastructureError(`installing the Python packages failed: ${last.join('\n')}`, {
    hint: 'can pip reach a package index, and is there room in the cache folder (ORTBENCH_CACHE)? Then: npx ortbench setup',
  });
}

const lastLines = (text: string | undefined): string => (text ?? '').trim().split('\n').slice(-8).join('\n');
