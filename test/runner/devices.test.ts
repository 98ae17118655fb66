import { describe, expect, it } from 'vitest';
import { fake, fakeOptionsSchema } from '../../src/engines/fake/engine.ts';
import { runCells } from '../../src/runner/run.ts';
import { type RunRecord, recordSchema } from '../../src/schema/record.ts';
import { sweepSchema } from '../../src/schema/sweep.ts';

type Fault = ReturnType<typeof fakeOptionsSchema.parse>['fault'];

/** The whole pipeline around the fake engine's scripted CUDA device: 2 ms a step, 12 ms a prefill. */
async function onDevice(fault: Fault): Promise<RunRecord[]> {
  const options = { devices: ['cuda'], stepMs: 2, prefillMsPerToken: 0.5, fault };
  const cell = {
    engine: 'fake',
    model: 'm',
    precision: 'fp16',
    device: 'cuda',
    batchSize: 2,
    promptLength: { length: 12, spread: 0 },
    generate: 24,
  } as const;
  const records: RunRecord[] = [];
  const sweep = sweepSchema.parse({
    models: ['m'],
    engines: [{ engine: 'fake', options }],
    precisions: ['fp16'],
    batchSizes: [2],
    promptLengths: [12],
    device: 'cuda',
    warmup: { runs: 1, seconds: 0 },
    repetitions: 3,
    minTimedSeconds: 0,
    isolation: 'in-process',
    measureMemory: false,
  });
  await runCells([{ cell, choice: sweep.engines[0]!, hostMiB: 1, deviceMiB: null }], {
    sweep,
    threads: 1,
    room: { hostMiB: 1000, deviceMiB: null },
    parity: true,
    engines: new Map([['fake', fake]]),
    reference: { missing: 'not needed' },
    modelShape: () => ({ vocabSize: 512, specialTokenIds: [], maxContextLength: 512 }) as never,
    artefact: async () => ({ dir: '', sha256: '' }),
    earlier: [],
    append: async (record) => {
      records.push(recordSchema.parse(record));
    },
    onEvent: () => {},
    signal: new AbortController().signal,
  });
  return records;
}

describe('a device that works on after a call returned', () => {
  it('is timed with its work when the engine waits for it', async () => {
    const records = await onDevice('none');
    expect(records.find(({ kind }) => kind === 'outcome')).toMatchObject({ status: 'ok', reason: null });
    const sample = records.find((record) => record.kind === 'sample')!;
    for (const { prefillNs, stepNs } of sample.runs) {
      expect(prefillNs).toBeGreaterThanOrEqual(12e6);
      for (const ns of stepNs) expect(ns).toBeGreaterThanOrEqual(2e6);
    }
    const session = records.find((record) => record.kind === 'session')!;
    expect(session).toMatchObject({ device: 'cuda', effective: { deviceName: 'fake cuda' } });
    expect(records.find((record) => record.kind === 'parity')).toMatchObject({ device: 'cuda' });
  });

  it('is found out when the engine does not', async () => {
    const outcome = (await onDevice('not-synchronised')).find((record) => record.kind === 'outcome')!;
    expect(outcome).toMatchObject({ status: 'invalid' });
    expect(outcome.reason).toMatch(/by the harness's clock|was not waited for/);
  });
});

it('reports the peak of the device where it is asked for', async () => {
  const { drive } = fake;
  if (drive.kind !== 'native') throw new Error('the fake engine is native');
  const open = (device: 'cpu' | 'webgpu') =>
    drive.load({
      model: 'm',
      artefactDir: '',
      precision: 'fp32',
      device,
      threads: 1,
      maxBatchSize: 1,
      maxSequenceLength: 8,
      options: fakeOptionsSchema.parse({}),
    });
  const run = { prompts: [[1, 2, 3]], generate: 2, capacity: 8 };
  const session = await open('webgpu');
  expect(await session.generate({ ...run, measurePeakMemory: true })).toMatchObject({
    peakDeviceBytes: 6144,
  });
  expect(await session.generate({ ...run, measurePeakMemory: false })).toMatchObject({
    peakDeviceBytes: null,
  });
  const host = await open('cpu');
  expect(await host.generate({ ...run, measurePeakMemory: true })).toMatchObject({ peakDeviceBytes: null });
});

it('is found by the fake engine where its option says so, and nowhere else', async () => {
  expect(await fake.probe('cuda', { devices: ['cuda'] })).toMatchObject({ available: true });
  expect(await fake.probe('webgpu', { devices: ['cuda'] })).toMatchObject({
    available: false,
    reason: 'the fake engine finds no webgpu device',
  });
});
