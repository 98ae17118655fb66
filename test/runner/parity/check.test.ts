import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Engine, EngineSession } from '../../../src/engines/engine.ts';
import { fake } from '../../../src/engines/fake/engine.ts';
import type { RunContext } from '../../../src/runner/context.ts';
import { openSession } from '../../../src/runner/open-session.ts';
import { checkParity } from '../../../src/runner/parity/check.ts';
import { References } from '../../../src/runner/parity/reference.ts';
import {
  parityCapacity,
  parityShapes,
  promptLengths,
  shapesFor,
  within,
} from '../../../src/runner/parity/shape.ts';
import { RunClock } from '../../../src/runner/run-clock.ts';
import type { ScheduledCell } from '../../../src/runner/schedule.ts';
import { sweepSchema } from '../../../src/schema/sweep.ts';

/** The fake engine as if it loaded a model: only such engines are checked. */
const engine: Engine = { ...fake, meta: { ...fake.meta, artefact: 'checkpoint' } };
const limits = { readySeconds: 30, cellSeconds: 30, closeSeconds: 5 };
const scheduled: ScheduledCell = {
  cell: {
    engine: 'fake',
    model: 'm',
    precision: 'fp32',
    device: 'cpu',
    batchSize: 2,
    promptLength: { length: 8, spread: 0 },
    generate: 4,
  },
  choice: { engine: 'fake', name: 'fake', options: {} },
  hostMiB: 1,
  deviceMiB: null,
};
const model = { maxContextLength: 512 };
const shape = parityShapes([scheduled], model)[0]!;

function makeContext(changes: Partial<RunContext>): RunContext {
  return {
    sweep: sweepSchema.parse({
      models: ['m'],
      engines: ['fake'],
      precisions: ['fp32'],
      batchSizes: [2],
      promptLengths: [8],
      timeLimits: limits,
    }),
    threads: 1,
    room: { hostMiB: 1000, deviceMiB: null },
    parity: true,
    engines: new Map([['fake', engine]]),
    reference: { engine },
    modelShape: () => ({ vocabSize: 512, layers: 2 }) as ReturnType<RunContext['modelShape']>,
    artefact: async () => ({ dir: '', sha256: '' }),
    earlier: [],
    append: async () => {},
    onEvent: () => {},
    clock: new RunClock(),
    signal: new AbortController().signal,
    scratchDir: mkdtempSync(join(tmpdir(), 'ortbench-parity-')),
    startedNs: 0n,
    ...changes,
  };
}

async function check(options: Record<string, unknown>, changes: Partial<RunContext> = {}) {
  const context = makeContext(changes);
  const request = {
    model: 'm',
    artefactDir: '',
    precision: 'fp32',
    device: 'cpu',
    threads: 1,
    maxBatchSize: 2,
    maxSequenceLength: 64,
    options,
  } as const;
  const session: EngineSession = await openSession(fake, request, 'in-process', limits);
  return checkParity(scheduled, session, new References(context), shape, context);
}

describe('checkParity', () => {
  it('lets an engine through that computes the same', async () => {
    expect(await check({})).toMatchObject({
      verdict: 'match',
      batchSize: 2,
      promptLength: { length: 8, spread: 0 },
      figures: { normalisedError: 0, systematicError: 0, klDivergence: 0, top1Agreement: 1 },
      steps: 33,
    });
  });

  it('records what the reference computed with', async () => {
    const chain = { source: 's', checkpoint: 'c' };
    const loaded = { artefact: async () => ({ dir: '', sha256: 'a', chain }) };
    expect((await check({}, loaded)).reference).toEqual({ ...chain, artefact: 'a' });
    expect((await check({}, { ...loaded, parity: false })).reference).toBeNull();
  });

  it('catches one that computes something else', async () => {
    const record = await check({ logitOffset: 1 });
    expect(record).toMatchObject({ verdict: 'mismatch' });
    expect(record.reason).toMatch(/normalised logit error .* exceeds/);
  });

  it('catches a stale cache and logits that are not numbers', async () => {
    expect((await check({ fault: 'changes-answer' })).verdict).toBe('mismatch');
    expect((await check({ fault: 'nan-logits' })).verdict).toBe('mismatch');
  });

  it('says why it could not check', async () => {
    expect(await check({}, { parity: false })).toMatchObject({
      verdict: 'unchecked',
      reason: expect.stringContaining('no-parity'),
    });
    const missing = { reference: { missing: 'PyTorch is not installed' } };
    expect(await check({}, missing)).toMatchObject({
      verdict: 'unchecked',
      reason: 'PyTorch is not installed',
    });
    const other = { engines: new Map([['fake', fake]]) };
    expect(await check({}, other)).toMatchObject({
      verdict: 'unchecked',
      reason: 'this engine loads no model',
    });
  });

  it('refuses an engine that answers for another vocabulary', async () => {
    await expect(check({ vocabSize: 100 })).rejects.toMatchObject({ name: 'EngineError', code: 'failed' });
  });
});

describe('parityShapes', () => {
  const of = (batchSize: number, length: number, spread = 0): ScheduledCell => ({
    ...scheduled,
    cell: { ...scheduled.cell, batchSize, promptLength: { length, spread } },
  });

  it('is a shape that is measured anyway, with more than one sequence where there is one', () => {
    const shapes = parityShapes([of(1, 64), of(4, 64), of(8, 16), of(1, 16)], model);
    expect(shapes).toEqual([{ batchSize: 4, promptLength: { length: 16, spread: 0 }, steps: 32 }]);
    expect(parityShapes([of(1, 64)], model)).toMatchObject([{ batchSize: 1, promptLength: { length: 64 } }]);
  });

  it('leaves room for the continuation in the context', () => {
    expect(parityShapes([of(2, 500)], model)[0]!.promptLength.length).toBe(479);
  });

  it('checks ragged batches apart, for the sessions that run some', () => {
    const cells = [of(1, 64, 0.5), of(4, 64, 0.5), of(2, 32)];
    const shapes = parityShapes(cells, model);
    expect(shapes).toMatchObject([
      { batchSize: 2, promptLength: { length: 32, spread: 0 } },
      { batchSize: 4, promptLength: { length: 64, spread: 0.5 } },
    ]);
    expect(promptLengths(shapes[1]!)).toEqual([64, 53, 43, 32]);
    expect(shapesFor(shapes, [cells[1]!])).toEqual([shapes[1]]);
    expect(shapesFor(shapes, [cells[2]!])).toEqual([shapes[0]]);
    // A batch of one is uniform, whatever its spread.
    expect(shapesFor(shapes, [cells[0]!])).toEqual([shapes[0]]);
  });

  it('outgrows a sliding window that cells outgrow', () => {
    const window = { maxContextLength: 512, slidingWindow: 100 };
    expect(parityShapes([of(2, 16), of(2, 80), of(2, 300)], window)[0]!.promptLength.length).toBe(300);
    expect(parityShapes([of(2, 16), of(2, 80)], window)[0]!.promptLength.length).toBe(80);
    expect(parityShapes([of(2, 16)], window)[0]!.promptLength.length).toBe(16);
  });

  it('is cut to what an engine without the window computes', () => {
    const shape = { batchSize: 2, promptLength: { length: 80, spread: 0.5 }, steps: 32 };
    expect(within(shape, 113)).toBe(shape);
    expect(within(shape, 112)).toEqual({ ...shape, promptLength: { length: 79, spread: 0.5 } });
    const least = within(shape, 32);
    expect(least).toEqual({ ...shape, steps: 16, promptLength: { length: 15, spread: 0.5 } });
    expect(parityCapacity(least)).toBe(32);
  });
});
