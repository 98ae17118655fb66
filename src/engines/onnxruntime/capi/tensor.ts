import type { OrtLibrary } from './library.ts';
import { ELEMENT_BYTES, ELEMENT_TYPES, type ElementType } from './table.ts';

/** An OrtValue that holds a tensor, either in memory that ONNX Runtime allocated or over a buffer of the caller's. */
export interface OrtTensor {
  readonly handle: bigint;
  /** The caller's memory: whoever keeps the handle in use must keep this alive. null when ONNX Runtime owns it. */
  readonly memory: ArrayBuffer | null;
  release(): void;
}

function dimensions(shape: readonly number[]): BigInt64Array {
  const dims = new BigInt64Array(new ArrayBuffer(shape.length * 8));
  for (let i = 0; i < shape.length; i++) dims[i] = BigInt(shape[i]!);
  return dims;
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/**
 * A tensor over the first bytes of `memory`. It must be an ArrayBuffer made as such (the memory of one stays where it
 * is; a small typed array's own may lie in V8's moving heap), and never be transferred.
 */
export function tensorOver(
  library: OrtLibrary,
  memory: ArrayBuffer,
  elementType: ElementType,
  shape: readonly number[],
): OrtTensor {
  const bytes = elementCount(shape) * ELEMENT_BYTES[elementType];
  if (bytes > memory.byteLength) {
    throw new RangeError(`a tensor of ${bytes} bytes over a buffer of ${memory.byteLength}`);
  }
  const handle = library.output('making a tensor', (out) =>
    library.calls.CreateTensorWithDataAsOrtValue(
      library.cpuMemory,
      new Uint8Array(memory),
      bytes,
      dimensions(shape),
      shape.length,
      ELEMENT_TYPES[elementType],
      out,
    ),
  );
  return { handle, memory, release: () => library.calls.ReleaseValue(handle) };
}

/** A tensor that ONNX Runtime allocates outside its arena, so that releasing it gives the memory back at once. */
export function allocateTensor(
  library: OrtLibrary,
  elementType: ElementType,
  shape: readonly number[],
): OrtTensor {
  return allocateFrom(library, library.allocator, elementType, shape);
}

/** The same by an allocator of the caller's, which outlives the tensor. */
export function allocateFrom(
  library: OrtLibrary,
  allocator: bigint,
  elementType: ElementType,
  shape: readonly number[],
): OrtTensor {
  const handle = library.output(`allocating a tensor of [${shape.join(', ')}]`, (out) =>
    library.calls.CreateTensorAsOrtValue(
      allocator,
      dimensions(shape),
      shape.length,
      ELEMENT_TYPES[elementType],
      out,
    ),
  );
  return { handle, memory: null, release: () => library.calls.ReleaseValue(handle) };
}
