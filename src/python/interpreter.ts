import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { UserError } from '../errors.ts';

const LEAST_MINOR = 11;

/** Below an environment's folder. */
export const interpreterIn = (folder: string): string =>
  process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python');

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * The interpreter of the environment that ORTBENCH_PYTHON names, as a folder or as the interpreter itself; null without
 * the variable. @throws UserError when there is none.
 */
export async function chosenInterpreter(): Promise<string | null> {
  const chosen = process.env.ORTBENCH_PYTHON;
  if (!chosen) return null;
  const path = resolve(chosen);
  const inFolder = interpreterIn(path);
  if (await exists(inFolder)) return inFolder;
  const isFolder = await exists(join(path, 'pyvenv.cfg'));
  if (!isFolder && (await exists(path))) return path;
  throw new UserError(`ORTBENCH_PYTHON names no Python environment: ${chosen}`, {
    hint: 'name the folder of an environment or its interpreter, or unset the variable',
  });
}

export interface SystemPython {
  readonly file: string;
  /** Such as "3.11". */
  readonly version: string;
}

// Several engines ask in one run, and a version manager's python3 takes half a second to start.
const found = new Map<string, Promise<SystemPython | null>>();

/** The system's python3, or null where there is none that can be started. Asked once for each PATH. */
export function findSystemPython(): Promise<SystemPython | null> {
  const path = process.env.PATH ?? '';
  let python = found.get(path);
  if (python === undefined) {
    python = startSystemPython();
    found.set(path, python);
  }
  return python;
}

async function startSystemPython(): Promise<SystemPython | null> {
  const script = 'import sys; print("%d.%d" % sys.version_info[:2])';
  for (const file of process.platform === 'win32' ? ['python', 'python3'] : ['python3']) {
    const { exitCode, stdout } = await execa(file, ['-c', script], { reject: false, timeout: 30_000 });
    if (exitCode === 0 && /^3\.\d+$/.test(stdout)) return { file, version: stdout };
  }
  return null;
}

/** @throws UserError when there is none or it is too old. */
export async function requireSystemPython(): Promise<SystemPython> {
  const python = await findSystemPython();
  const hint =
    'install it (Debian and Ubuntu: apt install python3 python3-venv python3-dev), or name an environment in ORTBENCH_PYTHON';
  if (python === null) {
    throw new UserError(`ortbench needs Python 3.${LEAST_MINOR} or newer, and no python3 was found`, {
      hint,
    });
  }
  if (Number(python.version.split('.')[1]) < LEAST_MINOR) {
    throw new UserError(
      `ortbench needs Python 3.${LEAST_MINOR} or newer, and ${python.file} is ${python.version}`,
      { hint },
    );
  }
  return python;
}
