import type { EngineMeta } from '../engines/engine.ts';
import type { Cell } from '../schema/cell.ts';
import type { ModelShape } from '../schema/model.ts';
import { kvBytesPerToken, predictMemory, weightBytes } from './memory.ts';

const BYTES_PER_MIB = 2 ** 20;
/** What a driver's context and an engine's own kernels and workspaces take before any model. */
const CONTEXT_MIB = 500;

/** Peaks of a cell whose model lies in a device's memory. */
export interface DeviceMemoryEstimate {
  readonly deviceMiB: number;
  /** Of the process: what is read and moved to the device passes through it. */
  readonly hostMiB: number;
}

/**
 * Predicted peaks in MiB of a session on a device: there weights, KV cache, logits and a prompt's activations
 * (plan/memory.ts), all in the precision's own type except fp32's; in the host the process and, while it loads, the
 * weights. The caches of int4 hold half precision there, where the CPU's hold float32.
 */
export function predictDeviceMemory(cell: Cell, shape: ModelShape, meta: EngineMeta): DeviceMemoryEstimate {
  if (meta.artefact === 'none') return { deviceMiB: 0, hostMiB: predictMemory(cell, shape, meta).baseMiB };
  const { precision, batchSize, generate } = cell;
  const prompt = cell.promptLength.length;
  const weights = weightBytes(precision, shape, meta.artefact);
  const kvPrecision = precision === 'int4' ? 'fp16' : precision;
  const kv = kvBytesPerToken(kvPrecision, shape, meta.artefact) * batchSize * (prompt + generate);
  const { logitsMiB, baseMiB } = predictMemory(cell, shape, meta);
  const elementBytes = precision === 'fp32' ? 4 : 2;
  const activations = batchSize * prompt * (4 * shape.hiddenSize + 3 * shape.intermediateSize) * elementBytes;
  return {
    deviceMiB: CONTEXT_MIB + (weights + kv + activations) / BYTES_PER_MIB + logitsMiB,
    hostMiB: baseMiB + weights / BYTES_PER_MIB + logitsMiB,
  };
}
