import type { OrtLibrary } from './capi/library.ts';
import { ELEMENT_BYTES, type ElementType } from './capi/table.ts';
import { elementCount, type OrtTensor, tensorOver } from './capi/tensor.ts';

/** Copies zeros from the host over a tensor of the device. @returns false where the library cannot copy to the device. */
export function zeroOnDevice(
  library: OrtLibrary,
  tensor: OrtTensor,
  elementType: ElementType,
  shape: readonly number[],
): boolean {
  const { device, calls, env } = library;
  if (device === null) return false;
  const memory = new ArrayBuffer(elementCount(shape) * ELEMENT_BYTES[elementType]);
  const zeros = tensorOver(library, memory, elementType, shape);
  try {
    const status = device.CopyTensors(env, one(zeros.handle), one(tensor.handle), null, 1);
    if (status === null) return true;
    // Only providers that registered a copier of their own with the environment can be copied to.
    calls.ReleaseStatus(status);
    return false;
  } finally {
    zeros.release();
  }
}

function one(handle: bigint): BigUint64Array {
  const list = new BigUint64Array(new ArrayBuffer(8));
  list[0] = handle;
  return list;
}
