import { expect, it } from 'vitest';
import type { Engine } from '../../src/engines/engine.ts';
import { fake } from '../../src/engines/fake/engine.ts';
import { onnxruntime } from '../../src/engines/onnxruntime/engine.ts';
import { resolveModel } from '../../src/models/catalogue.ts';
import { prepareArtefact } from '../../src/models/prepare.ts';
import type { RunContext } from '../../src/runner/context.ts';
import { runCells } from '../../src/runner/run.ts';
import type { ScheduledCell } from '../../src/runner/schedule.ts';
import type { RunRecord } from '../../src/schema/record.ts';
import { sweepSchema } from '../../src/schema/sweep.ts';
import type { Device } from '../../src/schema/vocabulary.ts';

const MIB = 2 ** 20;
const rssMiB = () => process.memoryUsage.rss() / MIB;

interface Load {
  readonly session: string;
  /** Of this process, before it is loaded. */
  readonly rssMiB: number;
}

/** Two names of one engine, in this process, without parity; what was recorded, said, and held before each load. */
async function run(
  engine: Engine,
  shape: { batchSize: number; length: number; device: Device; options?: Record<string, unknown> },
  needed: Pick<ScheduledCell, 'hostMiB' | 'deviceMiB'>,
  given: Partial<RunContext>,
) {
  const { device, batchSize, length, options = {} } = shape;
  const model = await resolveModel('llama-nano', '.');
  const names = ['first', 'second'];
  const sweep = sweepSchema.parse({
    models: ['llama-nano'],
    engines: names.map((name) => ({ engine: engine.meta.id, name, options })),
    precisions: ['fp32'],
    batchSizes: [batchSize],
    promptLengths: [length],
    device,
    warmup: { runs: 1, seconds: 0 },
    repetitions: 2,
    minTimedSeconds: 0,
    isolation: 'in-process',
    measureMemory: false,
  });
  const cells = sweep.engines.map(
    (choice): ScheduledCell => ({
      ...needed,
      choice,
      cell: {
        ...{ engine: choice.name, model: 'llama-nano', precision: 'fp32', device, batchSize },
        ...{ promptLength: { length, spread: 0 }, generate: 2 },
      },
    }),
  );
  const records: RunRecord[] = [];
  const messages: string[] = [];
  const loads: Load[] = [];
  let peakMiB = 0;
  await runCells(cells, {
    sweep,
    threads: 1,
    // Only one of them at a time.
    room: { hostMiB: 1.5 * needed.hostMiB, deviceMiB: null },
    parity: false,
    engines: new Map([[engine.meta.id, engine]]),
    reference: { missing: 'not needed' },
    modelShape: () => model.shape,
    artefact: async (_, kind, precision) =>
      kind === 'none' ? { dir: '', sha256: '' } : await prepareArtefact({ model, kind, precision, device }),
    earlier: [],
    append: async (record) => {
      records.push(record);
      peakMiB = Math.max(peakMiB, rssMiB());
    },
    onEvent: (event) => {
      if (event.type === 'message') messages.push(event.text);
      if (event.type === 'loading') loads.push({ session: event.session, rssMiB: rssMiB() });
    },
    signal: new AbortController().signal,
    ...given,
  });
  const samples = records.filter(({ kind }) => kind === 'sample').length;
  return { records, samples, messages, loads, peakMiB };
}

it.skipIf(process.platform !== 'linux')(
  'a real engine gives its memory back before the next one is loaded into the same process',
  { timeout: 300_000 },
  async () => {
    const shape = { batchSize: 16, length: 512, device: 'cpu' } as const;
    // Libraries, compiled code and heaps find their sizes in a run that does not count.
    await run(onnxruntime, shape, { hostMiB: 400, deviceMiB: null }, {});
    const { samples, messages, loads, peakMiB } = await run(
      onnxruntime,
      shape,
      { hostMiB: 400, deviceMiB: null },
      {},
    );
    expect(samples).toBe(4);
    // Each was loaded anew in each round: first and second, by seeded chance.
    expect(loads.length).toBeGreaterThanOrEqual(4);
    const [baseline] = loads;
    const taken = peakMiB - baseline!.rssMiB;
    expect(taken).toBeGreaterThan(60);
    for (const load of loads) expect(load.rssMiB - baseline!.rssMiB).toBeLessThan(taken / 2);
    expect(messages).toEqual([]);
  },
);

it("looks at the device's free memory before a session is loaded there", async () => {
  const shape = { batchSize: 1, length: 8, device: 'cuda', options: { devices: ['cuda'] } } as const;
  const needed = { hostMiB: 10, deviceMiB: 4000 };
  const asked: Device[] = [];
  const free = (mib: number) => ({
    room: { hostMiB: 1000, deviceMiB: 5000 },
    freeDeviceMiB: async (device: Device) => {
      asked.push(device);
      return mib;
    },
  });
  const without = await run(fake, shape, needed, free(3000));
  expect(without.loads).toEqual([]);
  const reason = "would need about 3.91 GiB of the device's memory; only 2.93 GiB was free before loading";
  const outcomes = without.records.filter((record) => record.kind === 'outcome');
  expect(outcomes).toMatchObject(Array(2).fill({ status: 'skipped', reason }));
  const { samples, loads } = await run(fake, shape, needed, free(5000));
  expect(samples).toBe(4);
  // Together they do not fit on the device.
  expect(loads.length).toBeGreaterThanOrEqual(4);
  expect(new Set(asked)).toEqual(new Set(['cuda']));
});
