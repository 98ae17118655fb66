import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { InfrastructureError } from '../../../errors.ts';
import { writeFileAtomic } from '../../../files/atomic.ts';
import { cacheRoot } from '../../../files/cache-root.ts';
import { acquireLock } from '../../../files/lock.ts';
import { ensurePythonEnvironment } from '../../../python/environment.ts';
import { compile, SETTINGS } from './compile.ts';
import { MANIFEST_FILE, type Manifest, type NativeBuild, readNativeBuild } from './find.ts';
import { buildFolderName, thisProcessor } from './identity.ts';
import { fetchSource, NATIVE_COMMAND, SOURCE } from './source.ts';
import { findToolchain, type Toolchain } from './toolchain.ts';

/**
 * Builds llama.cpp for this machine into the cache, or finds it there. Safe when two processes ask at once: the second
 * waits. What a failed or interrupted call leaves is taken up by the next.
 * @throws UserError without a usable toolchain, InfrastructureError with the end of the log when the build fails.
 */
export async function installNative(onProgress: (line: string) => void): Promise<NativeBuild> {
  const toolchain = await findToolchain(NATIVE_COMMAND);
  const processor = thisProcessor();
  const compiler = `${toolchain.compiler.kind} ${toolchain.compiler.version}`;
  const dir = path.join(
    cacheRoot(),
    buildFolderName({ sourceSha256: SOURCE.sha256, compiler, settings: SETTINGS, processor }),
  );
  const ready = readNativeBuild(dir);
  if (ready !== null) return ready;
  await mkdir(cacheRoot(), { recursive: true });
  const lock = await acquireLock(`${dir}.lock`, {
    wait: true,
    onWait: () => onProgress('another ortbench is building llama.cpp: waiting for it'),
  });
  try {
    const madeMeanwhile = readNativeBuild(dir);
    if (madeMeanwhile !== null) return madeMeanwhile;
    const interpreter = await ensurePythonEnvironment(onProgress);
    return await build({ dir, toolchain, compiler, processor, interpreter, onProgress });
  } finally {
    await lock.release();
  }
}

async function build(of: {
  dir: string;
  toolchain: Toolchain;
  compiler: string;
  processor: string;
  interpreter: string;
  onProgress: (line: string) => void;
}): Promise<NativeBuild> {
  const { dir, toolchain, onProgress } = of;
  const work = `${dir}.work`;
  const logFile = path.join(work, 'build.log');
  await mkdir(work, { recursive: true });
  const source = await fetchSource(of.interpreter, work, logFile, onProgress);
  const buildDir = path.join(work, toolchain.generator === 'Ninja' ? 'ninja' : 'make');
  const made = await compile(toolchain, source, buildDir, logFile, onProgress);

  const stage = path.join(work, 'stage');
  await rm(stage, { recursive: true, force: true });
  await mkdir(stage);
  await rename(made, path.join(stage, 'bin'));
  await copyFile(logFile, path.join(stage, 'build.log'));
  const manifest: Manifest = {
    package: SOURCE.package,
    version: SOURCE.version,
    sha256: SOURCE.sha256,
    compiler: of.compiler,
    cmake: toolchain.cmakeVersion,
    settings: [...SETTINGS],
    processor: of.processor,
    llamaCpp: await versionOf(path.join(stage, 'bin', 'llama-bench')),
    builtAt: new Date().toISOString(),
  };
  await writeFileAtomic(path.join(stage, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
  await rm(dir, { recursive: true, force: true });
  await rename(stage, dir);
  await rm(work, { recursive: true, force: true });
  onProgress('the native llama.cpp is ready');
  return { dir, binDir: path.join(dir, 'bin'), manifest };
}

/** Starts the program from where it will not stay: it must find its libraries wherever its folder is. */
async function versionOf(llamaBench: string): Promise<string> {
  const { exitCode, all = '' } = await execa(llamaBench, ['--version'], {
    all: true,
    reject: false,
    stdin: 'ignore',
    timeout: 60_000,
  });
  const version = /^version: (.+)$/m.exec(all)?.[1];
  if (exitCode === 0 && version !== undefined) return version;
  throw new InfrastructureError(`the llama-bench that was just built does not run: ${all.trim()}`, {
    hint: `delete ${path.dirname(path.dirname(path.dirname(llamaBench)))} and try again`,
  });
}
