import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { InfrastructureError } from '../../../errors.ts';
import { writeFileAtomic } from '../../../files/atomic.ts';
import { installerEnvironment } from '../../../python/environment.ts';
import { runLogged } from './run-logged.ts';

/** The source distribution of a Python package holds llama.cpp whole, tools included, and every index serves it. */
export const SOURCE = {
  package: 'llama-cpp-python',
  version: '0.3.36',
  sha256: '832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e',
  /** The llama.cpp commit in it: without the repository its build cannot tell. */
  commit: '0c1e570',
} as const;

export const NATIVE_COMMAND = 'npx ortbench setup llamacpp --native';

const ROOT = `llama_cpp_python-${SOURCE.version}`;
const LLAMA_CPP = 'vendor/llama.cpp';
/** Two thirds of the source's size, which the build does not read. */
const LEFT_OUT = ['models', 'docs', 'tests', 'media', '.github'];

/**
 * Downloads the source and unpacks what the build needs into `work`; goes on where an earlier call ended.
 * @returns the folder of llama.cpp's CMakeLists.txt
 * @throws InfrastructureError when it cannot be had or is not what is expected.
 */
export async function fetchSource(
  interpreter: string,
  work: string,
  logFile: string,
  onProgress: (line: string) => void,
): Promise<string> {
  const folder = path.join(work, ROOT, LLAMA_CPP);
  const marker = path.join(work, 'unpacked');
  if (await exists(marker)) return folder;
  const archive = path.join(work, `${ROOT}.tar.gz`);
  if ((await sha256Of(archive)) !== SOURCE.sha256) await download(interpreter, work, logFile, onProgress);
  const found = await sha256Of(archive);
  if (found !== SOURCE.sha256) {
    throw new InfrastructureError(
      `${archive} is not the source that was asked for: its SHA-256 is ${found ?? 'that of no file'}`,
      { hint: 'which package index does pip use here? It must serve the original file' },
    );
  }
  onProgress('unpacking the source');
  await rm(path.join(work, ROOT), { recursive: true, force: true });
  const excluded = LEFT_OUT.map((name) => `--exclude=${ROOT}/${LLAMA_CPP}/${name}`);
  await runLogged('tar', ['-xzf', archive, '-C', work, ...excluded, `${ROOT}/${LLAMA_CPP}`], { logFile });
  await writeFileAtomic(marker, `${SOURCE.sha256}\n`);
  return folder;
}

async function download(
  interpreter: string,
  work: string,
  logFile: string,
  onProgress: (line: string) => void,
): Promise<void> {
  onProgress(`downloading the source of ${SOURCE.package} ${SOURCE.version} (77 MB)`);
  await mkdir(work, { recursive: true });
  const requirement = path.join(work, 'requirement.txt');
  // With a hash pip looks at the file before it runs anything from it.
  await writeFile(requirement, `${SOURCE.package}==${SOURCE.version} --hash=sha256:${SOURCE.sha256}\n`);
  await runLogged(
    interpreter,
    [
      ...['-m', 'pip', 'download', '--no-input', '--disable-pip-version-check', '--progress-bar', 'off'],
      ...['--no-deps', '--no-binary', SOURCE.package, '--requirement', requirement, '--dest', work],
    ],
    {
      logFile,
      env: installerEnvironment(),
      hint: 'can pip reach a package index? PIP_INDEX_URL names another',
    },
  );
}

async function sha256Of(file: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(file), hash);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  return hash.digest('hex');
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
