import { existsSync } from 'node:fs';
import type koffiModule from 'koffi';
import { EngineError } from '../../../errors.ts';
import { turnOffTelemetry } from '../telemetry.ts';
import { checkStatus } from './status.ts';
import {
  DEVICE_API_VERSION,
  DEVICE_FUNCTIONS,
  type DeviceCalls,
  FUNCTIONS,
  MINIMUM_API_VERSION,
  type OrtCalls,
  PLACEMENT_API_VERSION,
  PLACEMENT_FUNCTIONS,
  type PlacementCalls,
  type Signature,
} from './table.ts';

type Koffi = typeof koffiModule;
type LibraryHandle = ReturnType<Koffi['load']>;

/** ONNX Runtime runs on the caller's stack, which is koffi's own: as large as a main thread's on Linux. */
const STACK_BYTES = 8 * 1024 * 1024;
/** As large as a main thread's on Windows. koffi's old default of 128 KiB was near the edge. */
const SMALLEST_STACK_BYTES = 1024 * 1024;
/** Fatal only: every error comes back as a status, and stderr belongs to the progress display. */
const LOG_LEVEL = 4;
const POINTER_BYTES = 8;
/**
 * Copied over memory to clear it. An ArrayBuffer over foreign memory (koffi.view) would be simpler, but Node crashes
 * when it collects one after the memory was freed and viewed again.
 */
const ZEROS = new Uint8Array(1024 * 1024);

const C_TYPES = {
  ptr: 'void *',
  str: 'str',
  // ORTCHAR_T
  path: process.platform === 'win32' ? 'str16' : 'str',
  int: 'int',
  size: 'size_t',
  status: 'void *',
  void: 'void',
} as const;

/** A loaded ONNX Runtime library. It stays loaded, with its one environment, as long as the process lives. */
export interface OrtLibrary {
  /**
   * koffi unloads a library once nothing refers to it, and functions taken from the table do not: whoever held only those
   * would call into unmapped memory after the next garbage collection.
   */
  readonly handle: LibraryHandle;
  readonly calls: OrtCalls;
  /** null before C API version 24. */
  readonly placement: PlacementCalls | null;
  /** null before C API version 23. */
  readonly device: DeviceCalls | null;
  /** The file it was loaded from. */
  readonly path: string;
  /** As GetVersionString says it, e.g. "1.30.0". */
  readonly version: string;
  readonly build: string;
  readonly koffiVersion: string;
  /** Handles that every session shares; never released. */
  readonly env: bigint;
  readonly allocator: bigint;
  readonly cpuMemory: bigint;
  /** Throws a failed status as EngineError. */
  check(status: bigint | null, doing: string): void;
  /** Runs a call that hands a pointer or size back through its last argument, and returns that. */
  output(doing: string, call: (out: BigUint64Array) => bigint | null): bigint;
  /** A C string that something else owns. */
  text(pointer: bigint): string;
  /** `count` pointers beginning at `pointer`. */
  pointers(pointer: bigint, count: number): bigint[];
  /** Address of a typed array's first byte, for memory that stays where it is (an ArrayBuffer made as such). */
  addressOf(array: ArrayBufferView): bigint;
  /** Writes zeros over memory that ONNX Runtime owns. */
  zero(pointer: bigint, bytes: number): void;
}

const loaded = new Map<string, OrtLibrary>();

/**
 * Loads a library file, or returns the one already loaded from that path.
 * Throws EngineError('unavailable') where there is no such file, it is no ONNX Runtime, or one too old.
 */
export async function openLibrary(path: string): Promise<OrtLibrary> {
  const known = loaded.get(path);
  if (known) return known;
  if (!existsSync(path)) throw new EngineError('unavailable', `there is no ONNX Runtime library at ${path}`);
  const koffi = await loadKoffi();
  turnOffTelemetry();
  const library = bind(koffi, path);
  loaded.set(path, library);
  return library;
}

/** The newest version of the C API that a release grants and this module uses: 1.30.0 grants 1 to 30. */
export function apiVersionOf(release: string): number {
  const minor = Number(/^1\.(\d+)\./.exec(release)?.[1] ?? 0);
  if (minor < MINIMUM_API_VERSION) {
    throw new EngineError(
      'unavailable',
      `ONNX Runtime ${release} does not provide version ${MINIMUM_API_VERSION} of its C API; ` +
        `a release from 1.${MINIMUM_API_VERSION} on is needed`,
    );
  }
  return Math.min(minor, PLACEMENT_API_VERSION);
}

async function loadKoffi(): Promise<Koffi> {
  let koffi: Koffi;
  try {
    koffi = (await import('koffi')).default;
  } catch (cause) {
    throw new EngineError('unavailable', 'koffi, which calls the C API, has no build for this platform', {
      cause,
    });
  }
  const stackBytes = koffi.config().sync_stack_size ?? 0;
  if (stackBytes >= STACK_BYTES) return koffi;
  try {
    koffi.config({ sync_stack_size: STACK_BYTES, async_stack_size: STACK_BYTES });
  } catch (cause) {
    // Sizes are fixed from the first library that anyone loads through koffi.
    if (stackBytes < SMALLEST_STACK_BYTES) {
      throw new EngineError(
        'unavailable',
        `a library was loaded before ONNX Runtime and fixed koffi's stack at ${stackBytes} bytes, too few for it`,
        { cause },
      );
    }
  }
  return koffi;
}

function bind(koffi: Koffi, path: string): OrtLibrary {
  let handle: LibraryHandle;
  let base: bigint;
  try {
    handle = koffi.load(path);
    base = handle.func('OrtGetApiBase', 'void *', [])() as bigint;
  } catch (cause) {
    throw new EngineError('unavailable', `${path} is no ONNX Runtime library: ${(cause as Error).message}`, {
      cause,
    });
  }
  // struct OrtApiBase { GetApi; GetVersionString; }
  const version = functionAt(koffi, base, 1, 'str', [])() as string;
  const apiVersion = apiVersionOf(version);
  const api = functionAt(koffi, base, 0, 'void *', ['uint32_t'])(apiVersion) as bigint | null;
  if (api === null) {
    throw new EngineError('unavailable', `${path} (${version}) refuses version ${apiVersion} of its C API`);
  }
  const calls = bindAll<OrtCalls>(koffi, api, FUNCTIONS);
  const check = (status: bigint | null, doing: string) => checkStatus(calls, status, doing);
  const output = (doing: string, call: (out: BigUint64Array) => bigint | null): bigint => {
    const out = new BigUint64Array(new ArrayBuffer(POINTER_BYTES));
    check(call(out), doing);
    return out[0]!;
  };
  return {
    handle,
    calls,
    placement:
      apiVersion >= PLACEMENT_API_VERSION ? bindAll<PlacementCalls>(koffi, api, PLACEMENT_FUNCTIONS) : null,
    device: apiVersion >= DEVICE_API_VERSION ? bindAll<DeviceCalls>(koffi, api, DEVICE_FUNCTIONS) : null,
    path,
    version,
    build: calls.GetBuildInfoString(),
    koffiVersion: koffi.version,
    env: output('creating its environment', (out) => calls.CreateEnv(LOG_LEVEL, 'ortbench', out)),
    allocator: output('reading its allocator', (out) => calls.GetAllocatorWithDefaultOptions(out)),
    cpuMemory: output('describing host memory', (out) => calls.CreateCpuMemoryInfo(0, 0, out)),
    check,
    output,
    text: (pointer) => koffi.decode.string(pointer),
    pointers: (pointer, count) =>
      Array.from({ length: count }, (_, i) => koffi.decode(pointer, i * POINTER_BYTES, 'void *') as bigint),
    addressOf: (array) => koffi.address(array),
    zero(pointer, bytes) {
      for (let offset = 0; offset < bytes; offset += ZEROS.length) {
        const length = Math.min(ZEROS.length, bytes - offset);
        koffi.encode(pointer + BigInt(offset), 'uint8_t', ZEROS, length);
      }
    },
  };
}

function functionAt(koffi: Koffi, table: bigint, index: number, result: string, parameters: string[]) {
  const pointer = koffi.decode(table, index * POINTER_BYTES, 'void *') as bigint;
  return koffi.decode(pointer, koffi.proto(result, parameters)) as (...args: unknown[]) => unknown;
}

function bindAll<C>(koffi: Koffi, api: bigint, table: Readonly<Record<string, Signature>>): C {
  const bound = Object.entries(table).map(([name, [index, result, parameters]]) => [
    name,
    functionAt(
      koffi,
      api,
      index,
      C_TYPES[result],
      parameters.map((parameter) => C_TYPES[parameter]),
    ),
  ]);
  return Object.fromEntries(bound) as C;
}
