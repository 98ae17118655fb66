import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { EngineError } from '../../errors.ts';
import type {
  GenerateRequest,
  Generation,
  Loaded,
  Prepared,
  Shape,
  TeacherForceRequest,
} from '../../schema/protocol.ts';
import type { Decoder, EngineSession } from '../engine.ts';
import { argmaxRows } from './argmax.ts';
import { giveFreedMemoryBack } from './free-memory.ts';
import { readPeakRssBytes, resetPeakRss } from './peak-memory.ts';

/** Between steps, never inside one: signals and progress get their turn at least this often. */
const YIELD_EVERY_NS = 100_000_000n;

const toRows = (ids: readonly (readonly number[])[]): Int32Array[] => ids.map((row) => Int32Array.from(row));

/** A model that is loaded, before anything drives it. */
export interface LoadedDecoder {
  readonly decoder: Decoder;
  readonly loaded: Loaded;
}

/**
 * The one decode loop of all native engines: times the decoder's primitives exactly as spec/metrics defines prefill and
 * decode, selects greedily outside of both, and returns raw nanoseconds of this process's monotonic clock.
 */
export class NativeSession implements EngineSession {
  readonly loaded: Loaded;
  readonly #decoder: Decoder;

  constructor({ decoder, loaded }: LoadedDecoder) {
    this.#decoder = decoder;
    this.loaded = loaded;
  }

  /** A native engine has nothing to compile: one short run readies buffers and reports what depends on the shape. */
  async prepare(shape: Shape): Promise<Prepared> {
    const prompt = Array.from({ length: shape.promptLength }, (_, i) => i % this.#decoder.vocabSize);
    const prompts = Array.from({ length: shape.batchSize }, () => prompt);
    const capacity = shape.promptLength + shape.generate;
    await this.generate({
      prompts,
      generate: Math.min(2, shape.generate),
      capacity,
      measurePeakMemory: false,
    });
    return { compileNs: 0, effective: this.#decoder.effective?.() ?? {} };
  }

  async generate(request: GenerateRequest): Promise<Generation> {
    const decoder = this.#decoder;
    const prompts = toRows(request.prompts);
    const batchSize = prompts.length;
    const tokens: number[][] = prompts.map(() => []);
    const stepNs: number[] = [];
    const selectNs: number[] = [];
    const ids = new Int32Array(batchSize);
    const canMeasurePeak = request.measurePeakMemory && resetPeakRss();
    await decoder.begin(prompts, request.capacity);

    const select = (logits: Float32Array): bigint => {
      const before = process.hrtime.bigint();
      argmaxRows(logits, batchSize, ids);
      const after = process.hrtime.bigint();
      selectNs.push(Number(after - before));
      for (let row = 0; row < batchSize; row++) tokens[row]!.push(ids[row]!);
      return after;
    };

    const start = process.hrtime.bigint();
    const prefilled = decoder.prefill();
    let logits = prefilled instanceof Promise ? await prefilled : prefilled;
    const prefillNs = Number(process.hrtime.bigint() - start);
    let last = select(logits);
    let lastYield = start;
    for (let step = 1; step < request.generate; step++) {
      if (last - lastYield > YIELD_EVERY_NS) {
        await yieldToEventLoop();
        lastYield = last;
      }
      const before = process.hrtime.bigint();
      const stepped = decoder.step(ids);
      logits = stepped instanceof Promise ? await stepped : stepped;
      stepNs.push(Number(process.hrtime.bigint() - before));
      last = select(logits);
    }
    return {
      prefillNs,
      stepNs,
      selectNs,
      tokens,
      recompiles: 0,
      wallNs: Number(last - start),
      peakRssBytes: canMeasurePeak ? readPeakRssBytes() : null,
      peakDeviceBytes: request.measurePeakMemory ? (decoder.peakDeviceBytes?.() ?? null) : null,
    };
  }

  async teacherForce(request: TeacherForceRequest): Promise<{ steps: number; vocabSize: number }> {
    const decoder = this.#decoder;
    const prompts = toRows(request.prompts);
    const steps = request.continuation[0]?.length ?? 0;
    if (
      request.continuation.some((row) => row.length !== steps) ||
      request.continuation.length !== prompts.length
    ) {
      throw new EngineError(
        'failed',
        'teacher forcing needs one continuation of equal length for each sequence',
      );
    }
    const capacity = Math.max(...prompts.map((row) => row.length)) + steps + 1;
    await decoder.begin(prompts, capacity);
    const file = createWriteStream(request.logitsFile);
    const write = async (logits: Float32Array) => {
      // A copy: the decoder may reuse its logits buffer before the stream has written it.
      const drained = file.write(new Uint8Array(Float32Array.from(logits).buffer));
      if (!drained) await once(file, 'drain');
    };
    await write(await decoder.prefill());
    for (let step = 0; step < steps; step++) {
      const ids = Int32Array.from(request.continuation, (row) => row[step]!);
      await write(await decoder.step(ids));
    }
    file.end();
    await once(file, 'close');
    return { steps, vocabSize: decoder.vocabSize };
  }

  async close(): Promise<void> {
    await this.#decoder.close();
    await giveFreedMemoryBack();
  }
}
