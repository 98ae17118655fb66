import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SETTINGS } from '../../../../src/engines/llamacpp/native/compile.ts';
import { findNativeBuild } from '../../../../src/engines/llamacpp/native/find.ts';
import { buildFolderName, thisProcessor } from '../../../../src/engines/llamacpp/native/identity.ts';
import { installNative } from '../../../../src/engines/llamacpp/native/install.ts';
import { fetchSource, SOURCE } from '../../../../src/engines/llamacpp/native/source.ts';
import { InfrastructureError } from '../../../../src/errors.ts';

let root: string;
let programs: string;
let work: string;
let dir: string;

/** A program in the PATH of the build, which finds the test's folder in $ROOT. */
function program(name: string, script: string): string {
  const file = path.join(programs, name);
  writeFileSync(file, `#!/bin/sh\nROOT=${root}\n${script}\n`, { mode: 0o755 });
  return file;
}
const prints = (text: string) => `echo '${text}'`;
/** Leaves what the real build leaves in the folder after -C, and counts how often it ran. */
const NINJA = `
[ "$1" = --version ] && exec echo 1.11.1
echo run >> "$ROOT/ninja-runs"
mkdir -p "$2/bin"
echo "[1/2] Building a"; echo "[2/2] Linking b"
printf '#!/bin/sh\\necho "version: 0.5.0-dev (build 0, commit abc)"' > "$2/bin/llama-bench"
chmod +x "$2/bin/llama-bench"
touch "$2/bin/libllama.so"`;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'ortbench-install-'));
  programs = path.join(root, 'programs');
  mkdirSync(programs);
  const gcc = 'g++ (Test 12.9.0-1) 12.9.0\nCopyright (C) 2022 Free Software Foundation, Inc.';
  program('g++', prints(gcc));
  program('gcc', prints(gcc));
  program(
    'cmake',
    '[ "$1" = --version ] && exec echo cmake version 3.30.1\necho "$@" >> "$ROOT/cmake-calls"',
  );
  program('ninja', NINJA);
  vi.stubEnv('PATH', `${programs}:${process.env.PATH}`);
  vi.stubEnv('CXX', '');
  vi.stubEnv('CC', '');
  vi.stubEnv('CXXFLAGS', '-O0');
  vi.stubEnv('ORTBENCH_CACHE', path.join(root, 'cache'));
  vi.stubEnv('ORTBENCH_PYTHON', program('python', 'exit 9'));
  const identity = { compiler: 'GCC 12.9.0', settings: SETTINGS, processor: thisProcessor() };
  dir = path.join(root, 'cache', buildFolderName({ ...identity, sourceSha256: SOURCE.sha256 }));
  work = `${dir}.work`;
  mkdirSync(work, { recursive: true });
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

const runsOfNinja = () => readFileSync(path.join(root, 'ninja-runs'), 'utf8').trim().split('\n').length;

describe.skipIf(process.platform === 'win32')('installNative', () => {
  // As an earlier call left it: what follows does not download.
  beforeEach(() => writeFileSync(path.join(work, 'unpacked'), ''));

  it('leaves libraries, tools, log and manifest, and nothing else', async () => {
    const lines: string[] = [];
    const build = await installNative((line) => lines.push(line));
    expect(build).toMatchObject({
      dir,
      binDir: path.join(dir, 'bin'),
      manifest: {
        compiler: 'GCC 12.9.0',
        cmake: '3.30.1',
        llamaCpp: '0.5.0-dev (build 0, commit abc)',
        version: SOURCE.version,
      },
    });
    expect(findNativeBuild()).toEqual(build);
    expect(existsSync(path.join(build.binDir, 'libllama.so'))).toBe(true);
    expect(readFileSync(path.join(dir, 'build.log'), 'utf8')).toContain('[2/2] Linking b');
    expect(existsSync(work)).toBe(false);
    expect(existsSync(`${dir}.lock`)).toBe(false);
    expect(lines).toContain('compiling llama.cpp: 100 %');
    const configured = readFileSync(path.join(root, 'cmake-calls'), 'utf8');
    for (const setting of SETTINGS) expect(configured).toContain(setting);
    expect(configured).toContain('-DCMAKE_CXX_COMPILER=g++');
  });

  it('builds once, whether asked twice or by two at once', async () => {
    const [one, other] = await Promise.all([installNative(() => {}), installNative(() => {})]);
    expect(other).toEqual(one);
    expect(await installNative(() => {})).toEqual(one);
    expect(runsOfNinja()).toBe(1);
  });

  it('keeps a failed build with its log, shows the end of it, and goes on from there', async () => {
    program('ninja', `${NINJA}\necho "ops.cpp:1: error: no"; rm -r "$2/bin"; touch "$2/half-done"; exit 1`);
    const error = await installNative(() => {}).catch((cause) => cause);
    expect(error).toBeInstanceOf(InfrastructureError);
    expect(error.message).toMatch(/ninja ended with exit code 1:[\s\S]*ops\.cpp:1: error: no/);
    expect(error.hint).toContain(path.join(work, 'build.log'));
    expect(findNativeBuild()).toBeNull();
    expect(existsSync(`${dir}.lock`)).toBe(false);
    program('ninja', `${NINJA}\n[ -e "$2/half-done" ] || exit 1`);
    expect((await installNative(() => {})).dir).toBe(dir);
  });

  it('does not take over a build whose programs do not run', async () => {
    program(
      'ninja',
      `${NINJA}\nprintf '#!/bin/sh\\necho no libllama.so >&2; exit 127' > "$2/bin/llama-bench"`,
    );
    await expect(installNative(() => {})).rejects.toThrow(/does not run: no libllama\.so/);
    expect(findNativeBuild()).toBeNull();
  });
});

describe.skipIf(process.platform === 'win32')('fetchSource', () => {
  const fetch = (interpreter: string) =>
    fetchSource(interpreter, work, path.join(work, 'build.log'), () => {});

  it('says what pip said when the download fails', async () => {
    const error = await fetch(program('python', 'echo "ERROR: No matching distribution"; exit 1')).catch(
      (e) => e,
    );
    expect(error).toBeInstanceOf(InfrastructureError);
    expect(error.message).toContain('No matching distribution');
    expect(error.hint).toContain('PIP_INDEX_URL');
  });

  it('asks for the one file by its hash, and refuses another', async () => {
    const python = program(
      'python',
      `for last; do :; done; echo x > "$last/llama_cpp_python-${SOURCE.version}.tar.gz"`,
    );
    await expect(fetch(python)).rejects.toThrow(
      /not the source that was asked for: its SHA-256 is [0-9a-f]{64}/,
    );
    expect(readFileSync(path.join(work, 'requirement.txt'), 'utf8')).toBe(
      `${SOURCE.package}==${SOURCE.version} --hash=sha256:${SOURCE.sha256}\n`,
    );
    expect(existsSync(path.join(work, 'unpacked'))).toBe(false);
  });
});
