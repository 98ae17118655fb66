import { describe, expect, it } from 'vitest';
import { fake, fakeOptionsSchema } from '../../src/engines/fake/engine.ts';
import { comparable, planTurn, programRuns, sessionTurn } from '../../src/fidelity/turn.ts';
import { openSession } from '../../src/runner/open-session.ts';
import { makeWork } from '../../src/runner/work.ts';
import type { Run } from '../../src/schema/record.ts';

const MS = 1e6;
const LIMITS = { readySeconds: 10, cellSeconds: 10, closeSeconds: 10 };
const work = makeWork(
  {
    engine: 'any',
    model: 'any',
    precision: 'fp32',
    device: 'cpu',
    batchSize: 2,
    promptLength: { length: 4, spread: 0 },
    generate: 5,
  },
  1,
  { vocabSize: 100, specialTokenIds: [] },
);

describe('planTurn', () => {
  it('repeats each phase until it is long enough, and prefills by themselves where that is dearer', () => {
    expect(planTurn(50 * MS, 100 * MS, 0.25)).toMatchObject({ warmUp: true, prefills: 2, runs: 3 });
    expect(planTurn(600 * MS, 300 * MS, 0.25)).toMatchObject({ warmUp: false, prefills: 0, runs: 1 });
    expect(planTurn(200 * MS, 50 * MS, 0.25)).toMatchObject({ warmUp: true, prefills: 0, runs: 5 });
  });

  it('has limits, also for an engine that takes no time', () => {
    expect(planTurn(0, 0, 0.25)).toMatchObject({ warmUp: true, prefills: 4, runs: 8 });
    expect(planTurn(0, 0, 0)).toMatchObject({ warmUp: true, prefills: 0, runs: 1 });
  });

  it('repeats prefills alone as often, for a tool that does', () => {
    expect(planTurn(50 * MS, 100 * MS, 0.25, ['runs']).prefillsAlone).toBe(0);
    expect(planTurn(50 * MS, 100 * MS, 0.25, ['runs', 'phases']).prefillsAlone).toBe(5);
  });
});

describe('sessionTurn', () => {
  it('counts the prefill of a short run, and all of a whole one', async () => {
    const request = { artefactDir: '', model: 'any', precision: 'fp32' as const, device: 'cpu' as const };
    const session = await openSession(
      fake,
      {
        ...request,
        threads: 1,
        maxBatchSize: 2,
        maxSequenceLength: 9,
        options: fakeOptionsSchema.parse({ stepMs: 1 }),
      },
      'in-process',
      LIMITS,
    );
    const turn = { warmUp: true, prefills: 2, runs: 1, prefillsAlone: 3 };
    const { runs, alone, recompiles } = await sessionTurn(session, work, turn);
    expect(recompiles).toBe(0);
    expect(alone.map(({ stepNs, tokensReturned }) => [stepNs.length, tokensReturned])).toEqual([
      [0, 2],
      [0, 2],
      [0, 2],
    ]);
    expect(runs.map(({ stepNs }) => stepNs.length)).toEqual([0, 0, 4]);
    expect(runs.map(({ selectNs }) => selectNs.length)).toEqual([1, 1, 5]);
    expect(runs.map(({ tokensSha256 }) => tokensSha256 === null)).toEqual([true, true, false]);
    expect(runs[2]!.stepNs.every((ns) => ns >= 0.9 * MS)).toBe(true);
    await session.close();
  });
});

describe('comparable', () => {
  const run: Run = {
    prefillNs: 100,
    stepNs: [10, 20],
    selectNs: [1, 2, 3],
    wallNs: 200,
    recompiles: 0,
    tokensReturned: 6,
    tokensSha256: 'x',
  };

  it('adds the selections to the phases that they belong to, where the tool’s times contain its own', () => {
    const taken = { runs: [run], alone: [] };
    const apart = { selection: 'apart', repeats: 'runs' } as const;
    expect(comparable(taken, 'decode', apart, 3)).toEqual({ runs: [run], generate: 3 });
    const { runs } = comparable(taken, 'decode', { selection: 'within', repeats: 'runs' }, 3);
    expect(runs[0]).toMatchObject({ prefillNs: 101, stepNs: [], stepTotal: { steps: 2, ns: 35 } });
  });

  it('makes no decode out of a prefill', () => {
    const taken = { runs: [{ ...run, stepNs: [], selectNs: [1] }], alone: [] };
    const { runs } = comparable(taken, 'prefill', { selection: 'within', repeats: 'runs' }, 3);
    expect(runs[0]).toMatchObject({ prefillNs: 101, stepNs: [] });
    expect(runs[0]).not.toHaveProperty('stepTotal');
  });

  it('leaves what a change of phase costs out, against a tool that repeats one phase', () => {
    const prefill = { ...run, prefillNs: 90, stepNs: [], selectNs: [1] };
    const long = { ...run, stepNs: [50, 40, 30, 20, 10], selectNs: [1, 2, 3, 4, 5, 6] };
    const taken = { runs: [prefill, long], alone: [prefill] };
    const phases = { selection: 'apart', repeats: 'phases' } as const;
    expect(comparable(taken, 'prefill', phases, 6)).toEqual({ runs: [prefill], generate: 6 });
    const decode = comparable(taken, 'decode', phases, 6);
    expect(decode.generate).toBe(3);
    expect(decode.runs.map(({ stepNs, selectNs }) => [stepNs, selectNs])).toEqual([
      [
        [20, 10],
        [1, 5, 6],
      ],
    ]);
    const summed = { ...run, stepNs: [], stepTotal: { steps: 2, ns: 30 } };
    expect(() => comparable({ runs: [summed], alone: [] }, 'decode', phases, 3)).toThrow('each on its own');
  });
});

describe('programRuns', () => {
  it('has decode time only for whole runs', () => {
    const times = [
      { prefillNs: 5, decodeNs: null },
      { prefillNs: 6, decodeNs: 40 },
    ];
    const { runs } = programRuns(times, work);
    expect(runs[0]).not.toHaveProperty('stepTotal');
    expect(runs[1]).toMatchObject({ prefillNs: 6, stepTotal: { steps: 4, ns: 40 }, tokensSha256: null });
  });
});
