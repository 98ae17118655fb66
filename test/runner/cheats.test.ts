import { describe, expect, it } from 'vitest';
import type { Engine, EngineSession } from '../../src/engines/engine.ts';
import { fake } from '../../src/engines/fake/engine.ts';
import { runCells } from '../../src/runner/run.ts';
import type { ScheduledCell } from '../../src/runner/schedule.ts';
import { type RunRecord, recordSchema } from '../../src/schema/record.ts';
import { sweepSchema } from '../../src/schema/sweep.ts';
import { CHEATS, cheating } from '../fixtures/cheats.ts';

const SHAPE = { batchSize: 3, promptLength: { length: 12, spread: 0.5 }, generate: 96 };
/** Long enough for a clock to tell, short enough for a test: 2 ms a step, about 25 ms a prefill. */
const options = { stepMs: 2, prefillMsPerToken: 0.9 };

function scheduled(batchSize: number, promptLength: typeof SHAPE.promptLength): ScheduledCell {
  return {
    cell: { ...SHAPE, engine: 'fake', model: 'm', precision: 'fp32', device: 'cpu', batchSize, promptLength },
    choice: { engine: 'fake', name: 'fake', options: {} },
    hostMiB: 1,
    deviceMiB: null,
  };
}

/** The whole pipeline of a run around an engine whose sessions are `wrap`ped. */
async function run(wrap: (session: EngineSession) => EngineSession) {
  const { drive } = fake;
  if (drive.kind !== 'native') throw new Error('the fake engine is native');
  const engine: Engine = {
    ...fake,
    drive: { kind: 'native', load: async (request) => wrap(await drive.load({ ...request, options })) },
  };
  const cells = [scheduled(SHAPE.batchSize, SHAPE.promptLength), scheduled(1, { length: 30, spread: 0 })];
  const records: RunRecord[] = [];
  await runCells(cells, {
    sweep: sweepSchema.parse({
      models: ['m'],
      engines: ['fake'],
      precisions: ['fp32'],
      batchSizes: [1],
      promptLengths: [12],
      warmup: { runs: 1, seconds: 0 },
      repetitions: 3,
      minTimedSeconds: 0,
      measureMemory: false,
    }),
    threads: 1,
    room: { hostMiB: 1000, deviceMiB: null },
    parity: true,
    engines: new Map([['fake', engine]]),
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
  });
  return records.flatMap((record) => (record.kind === 'outcome' ? [record] : []));
}

describe('verified work', () => {
  it('believes an honest engine', async () => {
    for (const { status, reason } of await run((session) => session)) expect(status, reason ?? '').toBe('ok');
  });

  it.each(Object.keys(CHEATS))('an engine that %s is found out in every cell it cheats in', async (name) => {
    const outcomes = await run((session) => cheating(session, CHEATS[name]!));
    expect(outcomes).toHaveLength(2);
    for (const { cell, status, reason } of outcomes) {
      // A single prompt has no padding, and a single row is no long one.
      const nothingToGain = cell.batchSize === 1 && /padding|one long row/.test(name);
      expect(status, `${name}: ${reason}`).toBe(nothingToGain ? 'ok' : 'invalid');
      if (!nothingToGain) console.log(`${name}: ${reason}`);
    }
  });
});
