import type { EngineMeta } from '../engines/engine.ts';
import { computedIn } from '../engines/support.ts';
import type { Cell } from '../schema/cell.ts';
import type { ModelShape } from '../schema/model.ts';
import type { Sweep } from '../schema/sweep.ts';
import type { ArtefactKind, Device } from '../schema/vocabulary.ts';
import { kvBytesPerToken, weightBytes } from './memory.ts';

/**
 * What hardware of the last years sustains, for a rough total only: the measured times of a run are its own. On a CPU
 * per thread, with the memory bandwidth that all threads share as a limit.
 */
const HARDWARE: Record<
  Device,
  { flopsPerThread: number; bytesPerThread: number; mostFlops: number; mostBytes: number }
> = {
  cpu: { flopsPerThread: 25e9, bytesPerThread: 8e9, mostFlops: 2e12, mostBytes: 80e9 },
  cuda: { flopsPerThread: 2e13, bytesPerThread: 8e11, mostFlops: 2e13, mostBytes: 8e11 },
  webgpu: { flopsPerThread: 2e12, bytesPerThread: 1e11, mostFlops: 2e12, mostBytes: 1e11 },
};

/** Dispatch, binding and selection of one forward. */
const SECONDS_PER_FORWARD = 0.2e-3;
/** Reading and packing of weights. */
const LOAD_BYTES_PER_SECOND = 400e6;
/** Start of the process and import of its libraries. */
const START_SECONDS: Record<ArtefactKind, number> = { checkpoint: 8, onnx: 0.5, gguf: 0.5, none: 0.3 };
/** Compiling one shape, prefill and decode. */
const COMPILE_SECONDS = 40;
/** Teacher-forced steps of the parity check; the reference takes about as long again. */
const PARITY_STEPS = 2 * 33;

/** Seconds of one prefill and of one full decode, by the larger of arithmetic and memory traffic. */
export function estimatePhases(cell: Cell, shape: ModelShape, meta: EngineMeta, threads: number) {
  if (meta.artefact === 'none') return { prefillSeconds: 1e-3, decodeSeconds: 1e-3 * cell.generate };
  const { batchSize, generate } = cell;
  const prompt = cell.promptLength.length;
  const device = HARDWARE[cell.device];
  const flopsPerSecond = Math.min(device.flopsPerThread * threads, device.mostFlops);
  const bytesPerSecond = Math.min(device.bytesPerThread * threads, device.mostBytes);
  const forward = (flops: number, bytes: number) =>
    Math.max(flops / flopsPerSecond, bytes / bytesPerSecond) + SECONDS_PER_FORWARD;

  const head = shape.vocabSize * shape.hiddenSize;
  // The embedding table is looked up, not multiplied with.
  const layers = Math.max(0, shape.parameters - head * (shape.tiedEmbeddings ? 1 : 2));
  const attention = 4 * shape.layers * shape.heads * shape.headSize;
  const precision = computedIn(meta, cell);
  const weights = weightBytes(precision, shape, meta.artefact);
  const prefill = batchSize * (2 * layers * prompt + 2 * head + (attention * prompt * prompt) / 2);
  const context = prompt + generate / 2;
  const step = batchSize * (2 * (layers + head) + attention * context);
  const stepBytes = weights + batchSize * context * kvBytesPerToken(precision, shape, meta.artefact);
  return {
    prefillSeconds: forward(prefill, weights),
    decodeSeconds: (generate - 1) * forward(step, stepBytes),
  };
}

/** Seconds of a cell, by what they are spent on. */
export interface CellSeconds {
  /** Compiling and warm-up by the sweep's rule; again after each reload. */
  readonly prepare: number;
  /** All rounds, each of at least `minTimedSeconds` a phase. */
  readonly rounds: number;
  /** The run that measures memory. */
  readonly memory: number;
}

export function estimateCellSeconds(
  cell: Cell,
  shape: ModelShape,
  meta: EngineMeta,
  sweep: Sweep,
  threads: number,
): CellSeconds {
  const { prefillSeconds, decodeSeconds } = estimatePhases(cell, shape, meta, threads);
  const run = prefillSeconds + decodeSeconds;
  const { warmup, minTimedSeconds, repetitions } = sweep;
  const runsPerRound = Math.max(1, Math.ceil(minTimedSeconds / decodeSeconds));
  const missingPrefill = Math.max(0, minTimedSeconds - runsPerRound * prefillSeconds);
  const prefillsPerRound = Math.ceil(missingPrefill / prefillSeconds);
  return {
    prepare: (meta.compiles ? COMPILE_SECONDS : 0) + Math.max(warmup.runs * run, warmup.seconds),
    rounds: repetitions * (runsPerRound * run + prefillsPerRound * prefillSeconds),
    memory: sweep.measureMemory ? run : 0,
  };
}

/** Seconds of a session apart from its cells: starting, loading (once more for memory where it shares a process), parity. */
export function estimateSessionSeconds(
  cell: Cell,
  shape: ModelShape,
  meta: EngineMeta,
  sweep: Sweep,
  threads: number,
): number {
  const load =
    START_SECONDS[meta.artefact] + weightBytes(cell.precision, shape, meta.artefact) / LOAD_BYTES_PER_SECOND;
  const inProcess = (sweep.isolation ?? meta.isolation) === 'in-process';
  const parityCell = {
    ...cell,
    batchSize: 2,
    promptLength: { length: 32, spread: 0 },
    generate: PARITY_STEPS + 1,
  };
  const { decodeSeconds } = estimatePhases(parityCell, shape, meta, threads);
  return load * (sweep.measureMemory && inProcess ? 2 : 1) + decodeSeconds;
}
