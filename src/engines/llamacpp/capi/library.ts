import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type Koffi from 'koffi';
import type { LibraryHandle } from 'koffi';
import { EngineError } from '../../../errors.ts';
import type { LibraryFiles } from '../location.ts';
import { type CpuApi, declareCpuApi, declareLlamaApi, type LlamaApi, type Pointer } from './bindings.ts';
import {
  CONTEXT_PARAMS,
  checkLayout,
  type Layout,
  MODEL_PARAMS,
  PARAMS_BYTES,
  readField,
  THREADPOOL_PARAMS,
} from './layout.ts';
import { LogSink } from './log.ts';

/** As deep as a main thread's, which llama.cpp expects to be called on; koffi's default is less. */
const STACK_BYTES = 8 * 1024 * 1024;
/** What loading and decoding were seen to get by with, several times over. */
const LEAST_STACK_BYTES = 1024 * 1024;
/** GGML_BACKEND_DEVICE_TYPE_CPU */
const CPU_DEVICE = 0;

export interface Library {
  readonly api: LlamaApi;
  readonly cpu: CpuApi;
  readonly log: LogSink;
  readonly files: LibraryFiles;
  /** The CPU backend's file that ggml chose for this processor; libllama itself in a build without variants. */
  readonly cpuLibrary: string;
  /** A window on native memory: [length] floats at `address`, valid as long as the library keeps that memory. */
  floatsAt(address: Pointer, length: number): Float32Array;
  /** The struct field of a C pointer. */
  int32At(address: Pointer, byteOffset: number): number;
  addressOf(array: ArrayBufferView): bigint;
}

let opened: Promise<Library> | null = null;
let openedDir: string | null = null;

/**
 * Loads libllama and its CPU backend into this process, once; verifies struct layouts before anything uses them.
 * @throws EngineError `unavailable` when the library cannot be loaded, is of another version, or when this process
 * already holds a libllama from elsewhere (shared libraries of one name cannot be told apart).
 */
export function openLibrary(files: LibraryFiles): Promise<Library> {
  if (opened !== null && openedDir !== files.dir) {
    throw new EngineError(
      'unavailable',
      'this process has already loaded llama.cpp from another folder: run its variants in processes of their own',
    );
  }
  openedDir = files.dir;
  opened ??= open(files);
  return opened;
}

async function open(files: LibraryFiles): Promise<Library> {
  const koffi = await importKoffi();
  ensureStack(koffi);
  const handles = [files.libllama, ...files.others].map((file) => loadLibrary(koffi, file));
  const api = declareLlamaApi(koffi, handles);
  verifyLayouts(api, path.basename(files.libllama));

  const log = new LogSink();
  const callbackType = koffi.pointer(koffi.proto('void', ['int', 'str', 'void *']));
  const callback = koffi.register((level: number, text: string) => log.write(level, text), callbackType);
  api.llama_log_set(callback, null);
  api.llama_backend_init();
  // A build with its backends linked in has registered them by now.
  if (Number(api.ggml_backend_reg_count()) === 0) api.ggml_backend_load_all_from_path(files.dir);
  if (api.ggml_backend_dev_by_type(CPU_DEVICE) === null) {
    throw new EngineError(
      'unavailable',
      `no libggml-cpu beside ${path.basename(files.libllama)} runs on this processor`,
    );
  }
  const cpuLibrary = findCpuLibrary(files);
  const cpuHandles = cpuLibrary === files.libllama ? handles : [loadLibrary(koffi, cpuLibrary)];
  return {
    api,
    cpu: declareCpuApi(cpuHandles),
    log,
    files,
    cpuLibrary,
    floatsAt: (address, length) => new Float32Array(koffi.view(address, length * 4)),
    int32At: (address, byteOffset) => koffi.decode(address, byteOffset, 'int32_t') as number,
    addressOf: (array) => koffi.address(array),
  };
}

async function importKoffi(): Promise<typeof Koffi> {
  try {
    return (await import('koffi')).default;
  } catch (cause) {
    throw new EngineError('unavailable', 'koffi, which calls the C API, has no build for this platform', {
      cause,
    });
  }
}

/** The stack of calls can only be set before koffi loads its first library in a process, and another part may have. */
function ensureStack(koffi: typeof Koffi): void {
  const current = () => koffi.config().sync_stack_size ?? 0;
  if (current() >= STACK_BYTES) return;
  try {
    koffi.config({ sync_stack_size: STACK_BYTES });
  } catch (error) {
    if (current() >= LEAST_STACK_BYTES) return;
    throw new EngineError('unavailable', `koffi's stack of ${current()} bytes is too small for llama.cpp`, {
      cause: error,
    });
  }
}

function loadLibrary(koffi: typeof Koffi, file: string): LibraryHandle {
  try {
    return koffi.load(file);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new EngineError('unavailable', `${path.basename(file)} cannot be loaded: ${detail}`, {
      cause: error,
    });
  }
}

/** Calls only functions that fill a struct with defaults, and compares what lies where. */
export function verifyLayouts(
  api: Pick<
    LlamaApi,
    'llama_model_default_params' | 'llama_context_default_params' | 'ggml_threadpool_params_init'
  >,
  library: string,
): void {
  const image = (words: BigUint64Array) => new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  checkLayout('llama_model_params', MODEL_PARAMS, image(api.llama_model_default_params().words), library);
  checkLayout(
    'llama_context_params',
    CONTEXT_PARAMS,
    image(api.llama_context_default_params().words),
    library,
  );
  const threads = 3;
  const pool = new Uint8Array(new ArrayBuffer(PARAMS_BYTES));
  api.ggml_threadpool_params_init(pool, threads);
  const expected: Layout = {
    ...THREADPOOL_PARAMS,
    nThreads: { ...THREADPOOL_PARAMS.nThreads, initial: threads },
  };
  checkLayout('ggml_threadpool_params', expected, pool, library);
  if (readField(pool, { offset: 0, kind: 'i32', initial: 0 }) !== 0) {
    throw new EngineError(
      'unavailable',
      `${library} starts ggml_threadpool_params with a CPU mask that is not empty`,
    );
  }
}

/**
 * ggml loads every CPU variant of its folder, keeps the best and unloads the others; the process's own map says which
 * one. Where there is no such map a folder with a single libggml-cpu leaves no doubt either.
 */
function findCpuLibrary(files: LibraryFiles): string {
  const isCpuLibrary = (file: string) =>
    /^(lib)?ggml-cpu([-.].*)?\.(so|dylib|dll)(\.\d+)*$/.test(path.basename(file));
  if (process.platform === 'linux') {
    const mapped = readFileSync('/proc/self/maps', 'utf8')
      .split('\n')
      .map((line) => line.slice(line.indexOf('/')))
      .find(isCpuLibrary);
    return mapped ?? files.libllama;
  }
  const candidates = readdirSync(files.dir).filter(isCpuLibrary);
  if (candidates.length > 1) {
    throw new EngineError(
      'unavailable',
      'cannot tell which libggml-cpu was loaded: keep only one in the folder',
    );
  }
  return candidates[0] === undefined ? files.libllama : path.join(files.dir, candidates[0]);
}
