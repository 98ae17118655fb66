import type { OrtLibrary } from './library.ts';
import type { OrtSession } from './session.ts';
import type { ElementType } from './table.ts';
import { allocateFrom, type OrtTensor } from './tensor.ts';

/** OrtDeviceAllocator, device 0, OrtMemTypeDefault. */
const DEVICE_ALLOCATOR = 0;
const FIRST_DEVICE = 0;
const DEFAULT_MEMORY = 0;

/** Memory of a session's device. Tensors of it are released before it, and it before the session. */
export interface DeviceMemory {
  /** As ONNX Runtime calls it, e.g. "Cuda". */
  readonly name: string;
  allocate(elementType: ElementType, shape: readonly number[]): OrtTensor;
  /**
   * Most bytes that the session's allocator had given out at one time, weights and activations included; null where the
   * library or the provider does not count.
   */
  peakBytes(): number | null;
  release(): void;
}

/** @throws EngineError where the session has no provider with such memory */
export function openDeviceMemory(library: OrtLibrary, session: OrtSession, name: string): DeviceMemory {
  const { calls, output } = library;
  const info = output(`describing ${name} memory`, (out) =>
    calls.CreateMemoryInfo(name, DEVICE_ALLOCATOR, FIRST_DEVICE, DEFAULT_MEMORY, out),
  );
  let allocator: bigint;
  try {
    allocator = output(`reaching the allocator of ${name} memory`, (out) =>
      calls.CreateAllocator(session.handle, info, out),
    );
  } catch (error) {
    calls.ReleaseMemoryInfo(info);
    throw error;
  }
  return {
    name,
    allocate: (elementType, shape) => allocateFrom(library, allocator, elementType, shape),
    peakBytes: () => peakBytes(library, allocator),
    release() {
      calls.ReleaseAllocator(allocator);
      calls.ReleaseMemoryInfo(info);
    },
  };
}

function peakBytes({ device, output }: OrtLibrary, allocator: bigint): number | null {
  if (device === null) return null;
  const statistics = output('reading what the device has given out', (out) =>
    device.AllocatorGetStats(allocator, out),
  );
  try {
    // Null where the allocator keeps no such count.
    const most = device.GetKeyValue(statistics, 'MaxInUse') as string | null;
    return most === null || Number(most) === 0 ? null : Number(most);
  } finally {
    device.ReleaseKeyValuePairs(statistics);
  }
}
