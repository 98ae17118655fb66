import { accessSync, constants, realpathSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { EngineError } from '../../errors.ts';
import { nativeToolsDir } from './native/find.ts';
import { NATIVE_COMMAND } from './native/source.ts';
import { type Program, programVersion } from './tools/program.ts';

export interface FoundTool extends Program {
  /** Whether it loads the very library that the driver drives. */
  readonly sameBuild: boolean;
  readonly version: string;
}

/**
 * The tool of the driven library's own build, where there is one: in the library's folder, in the `bin` beside it, or in
 * a folder that the user names. Otherwise the first that there is.
 * @throws EngineError `unavailable`
 */
export async function chooseTool(
  name: string,
  libraryDir: string,
  toolFolders: readonly string[],
): Promise<FoundTool> {
  const native = nativeToolsDir();
  const beside = [libraryDir, path.join(libraryDir, '..', 'bin')];
  const folders = [...beside, ...toolFolders, ...(native === null ? [] : [native])].map((dir) =>
    path.resolve(dir),
  );
  const files = [...new Set(folders)].map((dir) => path.join(dir, executable(name))).filter(isRunnable);
  const environment = { ...(process.env.HOME === undefined ? {} : { HOME: process.env.HOME }), LC_ALL: 'C' };
  for (const file of files) {
    const env = { ...environment, LD_LIBRARY_PATH: libraryDir };
    if (await loadsFrom(file, libraryDir, env)) {
      return { file, sameBuild: true, env, cwd: libraryDir, version: await programVersion(file) };
    }
  }
  const [other] = files;
  if (other === undefined) {
    throw new EngineError(
      'unavailable',
      `there is no ${name} beside the library: ${NATIVE_COMMAND}, or name its folder with --tools`,
    );
  }
  const cwd = path.dirname(other);
  return { file: other, sameBuild: false, env: environment, cwd, version: await programVersion(other) };
}

const executable = (name: string): string => (process.platform === 'win32' ? `${name}.exe` : name);

function isRunnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Asks the loader, as ldd does, which libllama the program would run with. */
async function loadsFrom(file: string, libraryDir: string, env: Record<string, string>): Promise<boolean> {
  if (process.platform !== 'linux') return path.dirname(file) === libraryDir;
  const { stdout } = await execa(file, [], {
    env: { ...env, LD_TRACE_LOADED_OBJECTS: '1' },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
  });
  return librariesOf(stdout).some(
    (library) =>
      /^libllama\b(?!-)/.test(path.basename(library)) && path.dirname(real(library)) === real(libraryDir),
  );
}

/** Paths in the loader's list: `libllama.so.0 => /path/libllama.so.0 (0x…)`. */
export function librariesOf(trace: string): string[] {
  return [...trace.matchAll(/=> (\S+) \(0x/g)].map((match) => match[1]!);
}

function real(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}
