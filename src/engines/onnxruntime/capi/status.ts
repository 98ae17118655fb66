import { EngineError, type EngineErrorCode } from '../../../errors.ts';
import type { OrtCalls } from './table.ts';

const NOT_IMPLEMENTED = 9;

/**
 * ONNX Runtime has no error code for a failed allocation: the CPU allocator's arrives as RUNTIME_EXCEPTION with
 * std::bad_alloc's own text, an arena's or a device's with a sentence of its own.
 */
const OUT_OF_MEMORY = /bad[_ ]alloc|failed to allocate|out of memory|available memory of/i;

/** WebGPU finds out at the first run that its adapter lacks a type. */
const DEVICE_LACKS = /requires \w+ but the device does not support it/;

/** OrtErrorCode and message → the code that becomes a cell's status. */
export function engineErrorCode(ortCode: number, message: string): EngineErrorCode {
  if (OUT_OF_MEMORY.test(message)) return 'oom';
  if (DEVICE_LACKS.test(message)) return 'unsupported';
  return ortCode === NOT_IMPLEMENTED ? 'unsupported' : 'failed';
}

/**
 * Releases a failed OrtStatus and throws it as an EngineError; does nothing on success (null).
 * @param doing what was tried, the beginning of the message: "creating the session"
 */
export function checkStatus(
  calls: Pick<OrtCalls, 'GetErrorCode' | 'GetErrorMessage' | 'ReleaseStatus'>,
  status: bigint | null,
  doing: string,
): void {
  if (status === null) return;
  const code = calls.GetErrorCode(status);
  const message = calls.GetErrorMessage(status);
  calls.ReleaseStatus(status);
  throw new EngineError(
    engineErrorCode(code, message),
    `ONNX Runtime failed while ${doing}: ${message.trim()}`,
  );
}
