import { describe, expect, it } from 'vitest';
import { parseOnly } from '../../src/plan/only.ts';
import { type PlanFacts, planSweep } from '../../src/plan/plan.ts';
import { cellKey, workKey } from '../../src/schema/cell.ts';
import type { SweepInput } from '../../src/schema/sweep.ts';
import { facts, loaded, meta, metas, shape } from './fixtures.ts';

const ab = metas(meta('a'), meta('b'));

function reasons(input: Partial<SweepInput>, known = ab, given: PlanFacts = facts) {
  const plan = planSweep(loaded(input), known, given);
  return plan.cells.map(({ cell, status, reason }) => [cellKey(cell), status, reason]);
}

describe('order', () => {
  it('is by model, then by work ascending, with precisions and engines inside', () => {
    const sweep = loaded(
      { engines: ['a', 'b'], precisions: ['int4', 'fp32'], batchSizes: [4, 1], promptLengths: [64, 32] },
      { m: shape, n: shape },
    );
    const { cells } = planSweep(sweep, ab, facts);
    expect(cells).toHaveLength(32);
    expect(cells.slice(0, 6).map(({ cell }) => cellKey(cell))).toEqual([
      'm/a/int4/cpu/b1/p32/g256',
      'm/b/int4/cpu/b1/p32/g256',
      'm/a/fp32/cpu/b1/p32/g256',
      'm/b/fp32/cpu/b1/p32/g256',
      'm/a/int4/cpu/b1/p64/g256',
      'm/b/int4/cpu/b1/p64/g256',
    ]);
    const works = cells.map(({ cell }) => workKey(cell));
    expect(new Set(works).size).toBe(8);
    // Each work is one run of neighbours: that is what makes it a comparison.
    expect(works.filter((work, i) => work !== works[i - 1])).toHaveLength(8);
  });

  it('counts the load of a session once, in its first planned cell', () => {
    const { cells } = planSweep(
      loaded({ batchSizes: [1], promptLengths: [32, { length: 32, spread: 0.5 }] }),
      ab,
      facts,
    );
    expect(cells[0]!.seconds).toBeGreaterThan(cells[1]!.seconds);
    expect(cells[1]!.seconds).toBeGreaterThan(0);
  });
});

describe('cells that will not run', () => {
  it('quotes what the engine says of a precision', () => {
    const known = metas(
      meta('a', {
        precisions: { cpu: { fp32: true, fp16: 'no kernels: it would upcast', bf16: true, int4: true } },
      }),
    );
    expect(reasons({ precisions: ['fp16', 'fp32'] }, known)).toEqual([
      ['m/a/fp16/cpu/b1/p32/g256', 'unsupported', 'no kernels: it would upcast'],
      ['m/a/fp32/cpu/b1/p32/g256', 'planned', null],
    ]);
  });

  it('runs what an engine refuses where the sweep insists, with the memory of what it computes in', () => {
    const refused = {
      reason: 'it would upcast',
      insist: { option: 'narrow', value: 'upcast' },
      computesIn: 'fp32',
    } as const;
    const known = metas(
      meta('a', { precisions: { cpu: { fp32: true, fp16: refused, bf16: true, int4: true } } }),
    );
    const insisting = { engine: 'a', name: 'insisting', options: { narrow: 'upcast' } };
    const input = { engines: ['a', insisting], precisions: ['fp32', 'fp16'] } satisfies Partial<SweepInput>;
    expect(reasons(input, known)).toEqual([
      ['m/a/fp32/cpu/b1/p32/g256', 'planned', null],
      ['m/insisting/fp32/cpu/b1/p32/g256', 'planned', null],
      [
        'm/a/fp16/cpu/b1/p32/g256',
        'unsupported',
        'it would upcast; to run it all the same, set the engine option narrow: upcast',
      ],
      ['m/insisting/fp16/cpu/b1/p32/g256', 'planned', null],
    ]);
    const { cells } = planSweep(loaded(input), known, facts);
    expect(cells[3]!.hostMiB).toBe(cells[1]!.hostMiB);
    const everywhere = { ...input, engineOptions: { a: { narrow: 'upcast' } } };
    expect(reasons(everywhere, known).every(([, status]) => status === 'planned')).toBe(true);
  });

  it('says that an engine has no path for a device, or takes no ragged batches', () => {
    expect(reasons({ device: 'cuda' })[0]).toEqual([
      'm/a/fp32/cuda/b1/p32/g256',
      'unsupported',
      'Engine a has no cuda path',
    ]);
    const even = metas(meta('a', { ragged: false }));
    expect(
      reasons({ promptLengths: [32, { length: 32, spread: 0.5 }] }, even).map(([, status]) => status),
    ).toEqual(['planned', 'unsupported']);
  });

  it('skips what exceeds the context, and nothing that just fits', () => {
    const cells = reasons({ promptLengths: [1792, 1793] });
    expect(cells[0]![1]).toBe('planned');
    expect(cells[1]!.slice(1)).toEqual([
      'skipped',
      "prompt 1793 + generate 256 = 2049 tokens, longer than the model's context of 2048",
    ]);
  });

  it('leaves out what reaches beyond a sliding window for an engine without one, and for no other', () => {
    const reason = 'it attends to every token';
    const known = metas(meta('a', { ignoresSlidingWindow: reason }), meta('b'));
    const planned = (slidingWindow: number | null) =>
      planSweep(
        loaded({ engines: ['a', 'b'], promptLengths: [768, 769] }, { m: { ...shape, slidingWindow } }),
        known,
        facts,
      ).cells.map(({ status, reason }) => [status, reason]);
    const fits = ['planned', null];
    expect(planned(1024)).toEqual([
      fits,
      fits,
      [
        'unsupported',
        "prompt 769 + generate 256 = 1025 tokens, beyond the model's sliding window of 1024: it attends to every token",
      ],
      fits,
    ]);
    expect(planned(null)).toEqual([fits, fits, fits, fits]);
    expect(planned(4096)).toEqual([fits, fits, fits, fits]);
  });

  it('names the position of the rule that excludes, and applies include first', () => {
    const cells = reasons({
      engines: ['a', 'b'],
      batchSizes: [1, 4],
      include: [{ engine: 'a' }],
      exclude: [{ engine: 'b', batchSize: 1 }, { batchSize: [4, 8] }],
    });
    expect(cells.map(([, , reason]) => reason)).toEqual([
      null,
      'matches no include rule',
      'excluded by the rule at x.yaml:8:5',
      'matches no include rule',
    ]);
  });

  it('marks engines and models that are not there unavailable, with the mend', () => {
    const availability = new Map([
      ['a', { available: false, reason: 'no torch', mend: 'ortbench setup' } as const],
    ]);
    expect(reasons({}, ab, { ...facts, availability })[0]!.slice(1)).toEqual([
      'unavailable',
      'no torch; to mend: ortbench setup',
    ]);
    const missingModels = new Map([['m', 'not in the cache']]);
    expect(reasons({}, ab, { ...facts, missingModels })[0]!.slice(1)).toEqual([
      'unavailable',
      'model m: not in the cache',
    ]);
  });

  it('skips what would not fit in the machine, or in what is free now', () => {
    const big: PlanFacts = { ...facts, memoryMiB: 200 };
    expect(reasons({}, ab, big)[0]!.slice(1)).toEqual([
      'skipped',
      expect.stringMatching(/^would need about \d+ MiB of memory; the machine has 200 MiB$/),
    ]);
    expect(reasons({}, ab, { ...facts, availableMiB: 100 })[0]![2]).toMatch(/only 100 MiB is free now$/);
  });

  it('takes no time', () => {
    const { cells } = planSweep(loaded({ device: 'cuda' }), ab, facts);
    expect(cells[0]!.seconds).toBe(0);
  });
});

describe('--only', () => {
  const sweep = loaded({ engines: ['a', 'b'], precisions: ['fp32', 'int4'], batchSizes: [1, 4] });
  const plan = (...expressions: string[]) => {
    const only = parseOnly(expressions, sweep.sweep, sweep.models);
    return planSweep(sweep, ab, { ...facts, only }).cells.filter(({ status }) => status === 'planned');
  };

  it('keeps what matches every field, and any value of a field', () => {
    expect(plan()).toHaveLength(8);
    expect(plan('engine=a,precision=int4').map(({ cell }) => cellKey(cell))).toEqual([
      'm/a/int4/cpu/b1/p32/g256',
      'm/a/int4/cpu/b4/p32/g256',
    ]);
    expect(plan('engine=a', 'engine=b', 'batchSize=4')).toHaveLength(4);
  });

  it('says why the others are not run', () => {
    const only = parseOnly(['batchSize=4'], sweep.sweep, sweep.models);
    const { cells } = planSweep(sweep, ab, { ...facts, only });
    expect(cells[0]).toMatchObject({ status: 'skipped', reason: 'not selected by --only' });
  });

  it.each([
    ['batchsize=1', '--only batchsize=1: no field is called "batchsize"; did you mean "batchSize"?'],
    ['nothing', '--only nothing: no field is called "nothing"; fields: engine, model, precision'],
    ['precision=int8', '--only precision=int8: this sweep has no precision int8; did you mean "int4"?'],
    ['batchSize=2', '--only batchSize=2: this sweep has no batchSize 2; it has 1, 4'],
    ['engine=', '--only engine=: engine needs a value'],
  ])('refuses %s', (expression, message) => {
    expect(() => plan(expression)).toThrow(message);
  });
});

it('plans 100,000 cells in under three seconds', () => {
  const range = (size: number) => Array.from({ length: size }, (_, i) => i + 1);
  const sweep = loaded({
    engines: ['a', 'b'],
    precisions: ['fp32', 'int4'],
    batchSizes: range(158),
    promptLengths: range(159),
    exclude: [{ batchSize: range(50) }],
  });
  const start = performance.now();
  const { cells } = planSweep(sweep, ab, facts);
  expect(cells).toHaveLength(100_488);
  expect(performance.now() - start).toBeLessThan(3000);
});
