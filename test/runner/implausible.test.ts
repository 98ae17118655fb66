import { expect, it } from 'vitest';
import type { Engine } from '../../src/engines/engine.ts';
import { fake } from '../../src/engines/fake/engine.ts';
import { runCells } from '../../src/runner/run.ts';
import type { RunRecord } from '../../src/schema/record.ts';
import type { Roofline } from '../../src/schema/roofline.ts';
import { sweepSchema } from '../../src/schema/sweep.ts';
import { shape } from '../plan/fixtures.ts';

/** An engine of 31 M fp32 parameters whose steps take 2 ms: it reads 60 GB/s, or does not wait for its device. */
const engine: Engine = { ...fake, meta: { ...fake.meta, artefact: 'onnx' } };

async function outcomeOn(bytesPerSecond: number) {
  const records: RunRecord[] = [];
  const rate = { operationsPerSecond: 1e15, kernel: 'k' };
  const roofline: Roofline = {
    bandwidth: [{ workingSetBytes: 2 ** 20, bytesPerSecond, kernel: 'k' }],
    matrix: { fp32: rate, fp16: rate, bf16: rate, int8: rate },
    versions: {},
    threads: 1,
    measuredAt: '2026-03-01T12:00:00Z',
    seconds: 1,
    otherLoadCores: 0,
  };
  const cell = {
    engine: 'fake',
    model: 'm',
    precision: 'fp32',
    device: 'cpu',
    batchSize: 1,
    promptLength: { length: 8, spread: 0 },
    generate: 16,
  } as const;
  await runCells(
    [
      {
        cell,
        choice: { engine: 'fake', name: 'fake', options: { stepMs: 2, prefillMsPerToken: 5 } },
        hostMiB: 1,
        deviceMiB: null,
      },
    ],
    {
      sweep: sweepSchema.parse({
        models: ['m'],
        engines: ['fake'],
        precisions: ['fp32'],
        batchSizes: [1],
        promptLengths: [8],
        warmup: { runs: 0, seconds: 0 },
        repetitions: 1,
        minTimedSeconds: 0,
        measureMemory: false,
      }),
      threads: 1,
      room: { hostMiB: 1000, deviceMiB: null },
      parity: false,
      engines: new Map([['fake', engine]]),
      reference: { missing: 'not needed' },
      modelShape: () => ({ ...shape, vocabSize: 512 }),
      roofline,
      artefact: async () => ({ dir: '', sha256: '' }),
      earlier: [],
      append: async (record) => void records.push(record),
      onEvent: () => {},
      signal: new AbortController().signal,
    },
  );
  return records.find((record) => record.kind === 'outcome');
}

it('an engine that answers faster than the machine can read its weights is invalid', async () => {
  expect(await outcomeOn(1e9)).toMatchObject({
    status: 'invalid',
    reason: expect.stringMatching(/^implausible: .*a decode step reads at least 118 MiB/),
  });
  // The same times on a machine that can.
  expect(await outcomeOn(1e12)).toMatchObject({ status: 'ok', reason: null });
});
