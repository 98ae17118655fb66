import { describe, expect, it } from 'vitest';
import { fake } from '../../src/engines/fake/engine.ts';
import { threadTimes, usedBetween } from '../../src/machine/threads.ts';
import { runCells } from '../../src/runner/run.ts';
import type { ScheduledCell } from '../../src/runner/schedule.ts';
import { type RunRecord, recordSchema, type SampleRecord } from '../../src/schema/record.ts';
import { sweepSchema } from '../../src/schema/sweep.ts';
import { harnessUse } from '../../src/stats/harness.ts';

const SHAPE = { batchSize: 1, promptLength: { length: 8, spread: 0 }, generate: 24 };

function scheduled(name: string, options: Record<string, unknown>): ScheduledCell {
  return {
    cell: { ...SHAPE, engine: name, model: 'm', precision: 'fp32', device: 'cpu' },
    choice: { engine: 'fake', name, options },
    hostMiB: 1,
    deviceMiB: null,
  };
}

async function recordsOf(
  isolation: 'in-process' | 'process',
  options: Record<string, Record<string, unknown>>,
  { hostMiB, repetitions } = { hostMiB: 1000, repetitions: 3 },
) {
  const records: RunRecord[] = [];
  await runCells(
    Object.entries(options).map(([name, own]) => scheduled(name, { stepMs: 10, ...own })),
    {
      sweep: sweepSchema.parse({
        models: ['m'],
        engines: ['fake'],
        precisions: ['fp32'],
        batchSizes: [1],
        promptLengths: [8],
        warmup: { runs: 1, seconds: 0 },
        repetitions,
        minTimedSeconds: 0,
        measureMemory: false,
        isolation,
      }),
      threads: 1,
      room: { hostMiB, deviceMiB: null },
      parity: false,
      engines: new Map([['fake', fake]]),
      reference: { missing: 'not needed' },
      modelShape: () =>
        ({ vocabSize: 512, specialTokenIds: [], maxContextLength: 512 }) as unknown as ReturnType<
          Parameters<typeof runCells>[1]['modelShape']
        >,
      artefact: async () => ({ dir: '', sha256: '' }),
      earlier: [],
      append: async (record) => {
        records.push(recordSchema.parse(record));
      },
      onEvent: () => {},
      signal: new AbortController().signal,
    },
  );
  return records;
}

/** Samples of a run in which every engine stays loaded, by the sweep's name of the engine. */
async function samplesOf(...run: Parameters<typeof recordsOf>) {
  const records = await recordsOf(...run);
  const samples = records.filter((record): record is SampleRecord => record.kind === 'sample');
  return (name: string) => samples.filter(({ cell }) => cell.engine === name);
}

const least = (samples: readonly SampleRecord[]) => Math.min(...samples.map(({ idleCores }) => idleCores!));

describe.skipIf(process.platform !== 'linux')('what engines use while it is the turn of another', () => {
  it.each(['in-process', 'process'] as const)('is found out, and by whom (%s)', async (isolation) => {
    const of = await samplesOf(isolation, { quiet: {}, burning: { fault: 'burns-idle' } });
    // A machine that others use too may not give it a whole core, but what a report flags it gets.
    expect(Math.max(...of('quiet').map(({ idleCores }) => idleCores!))).toBeGreaterThan(0.1);
    for (const { idleSession } of of('quiet')) expect(idleSession).toBe('m/burning/fp32/cpu');
    // What it burns in its own turn is its own affair.
    expect(least(of('burning'))).toBeLessThan(0.05);
  });

  it.each(['in-process', 'process'] as const)(
    'is next to nothing for those that sleep (%s)',
    async (isolation) => {
      const of = await samplesOf(isolation, { a: {}, b: {}, c: {} });
      for (const name of ['a', 'b', 'c']) expect(least(of(name))).toBeLessThan(0.02);
    },
  );
});

describe.skipIf(process.platform !== 'linux')('the harness', () => {
  it('uses under 1 % of a core while a runner is timed', async () => {
    const of = await samplesOf('process', { a: {} });
    const use = harnessUse(of('a'));
    expect(use!.typicalCores).toBeGreaterThan(0);
    expect(use!.typicalCores).toBeLessThan(0.01);
  });

  it('is told as median and highest, without what no system told', () => {
    const samples = [0.001, null, 0.03, 0.002].map((harnessCores) => ({ harnessCores }));
    expect(harnessUse(samples)).toEqual({ typicalCores: 0.002, highestCores: 0.03 });
    expect(harnessUse([{ harnessCores: null }, {}])).toBeNull();
  });
});

it('counts the time of threads by themselves', () => {
  const before = new Map([
    [1, 100],
    [2, 200],
  ]);
  const after = new Map([
    [1, 150],
    [3, 40],
  ]);
  expect(usedBetween(before, after)).toBe(90);
  expect(usedBetween(before, after, (thread) => thread === 1)).toBe(50);
  expect(threadTimes(2 ** 30)).toBeNull();
});

it('engines that do not fit together are loaded anew for each of any number of rounds', async () => {
  const repetitions = 6;
  const records = await recordsOf(
    'in-process',
    { a: { stepMs: 0 }, b: { stepMs: 0 } },
    { hostMiB: 1.5, repetitions },
  );
  const outcomes = records.flatMap((record) => (record.kind === 'outcome' ? [record.status] : []));
  expect(outcomes).toEqual(['ok', 'ok']);
  const loads = records.filter(({ kind }) => kind === 'session').length;
  // Once for parity, then once a round.
  expect(loads).toBe(2 * (1 + repetitions));
  const samples = records.filter((record): record is SampleRecord => record.kind === 'sample');
  expect(samples).toHaveLength(2 * repetitions);
  for (const { idleCores } of samples) expect(idleCores ?? 0).toBe(0);
});
