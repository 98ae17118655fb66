import { rm } from 'node:fs/promises';
import { availableParallelism, freemem } from 'node:os';
import path from 'node:path';
import { runLogged } from './run-logged.ts';
import { SOURCE } from './source.ts';
import type { Toolchain } from './toolchain.ts';

const TARGETS = ['llama', 'llama-bench', 'llama-batched-bench'];
/** The largest of the files takes about this much to compile. */
const BYTES_PER_COMPILER = 1024 ** 3;

/** For this processor, shared, and with nothing that the benchmark does not need. */
export const SETTINGS: readonly string[] = [
  '-DCMAKE_BUILD_TYPE=Release',
  '-DBUILD_SHARED_LIBS=ON',
  '-DGGML_NATIVE=ON',
  // The pool that the engine attaches, and its polling, are then what runs; OpenMP would ignore both.
  '-DGGML_OPENMP=OFF',
  '-DGGML_METAL=OFF',
  '-DGGML_CCACHE=OFF',
  '-DLLAMA_BUILD_TESTS=OFF',
  '-DLLAMA_BUILD_EXAMPLES=OFF',
  '-DLLAMA_BUILD_SERVER=OFF',
  '-DLLAMA_BUILD_TOOLS=ON',
  '-DLLAMA_CURL=OFF',
  '-DLLAMA_OPENSSL=OFF',
  // Libraries and programs find each other wherever their folder is moved to.
  '-DCMAKE_BUILD_WITH_INSTALL_RPATH=ON',
  `-DCMAKE_INSTALL_RPATH=${process.platform === 'darwin' ? '@loader_path' : '$ORIGIN'}`,
];

/**
 * Configures and compiles; with Ninja an interrupted build goes on where it was.
 * @returns the folder with libraries and programs
 * @throws InfrastructureError with the end of the log.
 */
export async function compile(
  toolchain: Toolchain,
  source: string,
  buildDir: string,
  logFile: string,
  onProgress: (line: string) => void,
): Promise<string> {
  // Make takes a file that a killed compiler left half written for a finished one.
  if (toolchain.generator !== 'Ninja') await rm(buildDir, { recursive: true, force: true });
  const env = buildEnvironment(path.dirname(buildDir));
  onProgress(`configuring llama.cpp for ${toolchain.compiler.kind} ${toolchain.compiler.version}`);
  await runLogged(
    'cmake',
    [
      ...['-G', toolchain.generator, '-S', source, '-B', buildDir],
      ...[`-DCMAKE_C_COMPILER=${toolchain.c}`, `-DCMAKE_CXX_COMPILER=${toolchain.cxx}`],
      // Without its repository the source cannot tell its commit; ggml believes what it is told only where there is no git.
      ...[`-DLLAMA_BUILD_COMMIT=${SOURCE.commit}`, `-DGGML_BUILD_COMMIT=${SOURCE.commit}`, '-DGIT_EXE=OFF'],
      ...SETTINGS,
    ],
    { logFile, env },
  );
  const jobs = Math.max(1, Math.min(availableParallelism(), Math.floor(freemem() / BYTES_PER_COMPILER)));
  onProgress(`compiling llama.cpp with ${jobs} processes: some minutes`);
  const showPercent = percentReporter(onProgress);
  // Without `cmake --build` between: ended, it would leave its compilers running.
  const [program, quiet] =
    toolchain.generator === 'Ninja' ? ['ninja', []] : ['make', ['--no-print-directory']];
  await runLogged(program, ['-C', buildDir, ...quiet, '-j', `${jobs}`, ...TARGETS], {
    logFile,
    env,
    onLine: showPercent,
    hint: 'the next call goes on from here',
  });
  return path.join(buildDir, 'bin');
}

/** Flags of the user's own projects would change the build, and a repository around the cache its version. */
function buildEnvironment(ceiling: string): Record<string, string | undefined> {
  const {
    CFLAGS: _c,
    CXXFLAGS: _cxx,
    CPPFLAGS: _cpp,
    LDFLAGS: _ld,
    CMAKE_GENERATOR: _g,
    ...rest
  } = process.env;
  return { ...rest, GIT_CEILING_DIRECTORIES: ceiling, LC_ALL: 'C' };
}

/** Ninja counts "[7/143]", Make says "[ 12%]": one line for every ten percent of either. */
export function percentReporter(onProgress: (line: string) => void): (line: string) => void {
  let shown = 0;
  return (line) => {
    const match = /^\[\s*(?:(\d+)\/(\d+)|(\d+)%)\]/.exec(line);
    if (!match) return;
    const percent = match[3] === undefined ? (100 * Number(match[1])) / Number(match[2]) : Number(match[3]);
    const tens = Math.floor(percent / 10) * 10;
    if (tens <= shown) return;
    shown = tens;
    onProgress(`compiling llama.cpp: ${tens} %`);
  };
}
