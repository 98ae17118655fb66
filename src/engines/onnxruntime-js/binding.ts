import type * as OnnxRuntimeNode from 'onnxruntime-node';
import { EngineError } from '../../errors.ts';
import { engineErrorCode } from '../onnxruntime/capi/status.ts';
import { turnOffTelemetry } from '../onnxruntime/telemetry.ts';

export type Ort = typeof OnnxRuntimeNode;

/** Loads the package and with it the native library. @throws EngineError `unavailable`. */
export async function importOnnxRuntimeNode(): Promise<Ort> {
  turnOffTelemetry();
  try {
    const ort = await import('onnxruntime-node');
    // Errors arrive as exceptions; stderr belongs to the progress display.
    ort.env.logLevel = 'fatal';
    return ort;
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError('unavailable', `onnxruntime-node cannot be loaded: ${detail}`, { cause });
  }
}

/** onnxruntime-node's error, or one of allocating an ArrayBuffer, as the code that becomes a cell's status. */
export function asEngineError(cause: unknown, doing: string): EngineError {
  const message = cause instanceof Error ? cause.message : String(cause);
  // V8 says of memory it cannot get that the length is invalid or the allocation failed.
  const code = cause instanceof RangeError ? 'oom' : engineErrorCode(0, message);
  return new EngineError(code, `onnxruntime-node failed while ${doing}: ${message.trim()}`, { cause });
}
