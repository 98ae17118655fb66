import { expect, test } from 'vitest';
import type { Cell } from '../../src/schema/cell.ts';
import type { Run } from '../../src/schema/record.ts';
import {
  promptViolations,
  runViolations,
  cellViolations as violationsOf,
} from '../../src/stats/identities.ts';
import { summariseRun } from '../../src/stats/run-summary.ts';

const cell: Cell = {
  engine: 'fake',
  model: 'm',
  precision: 'fp32',
  device: 'cpu',
  batchSize: 2,
  promptLength: { length: 8, spread: 0 },
  generate: 4,
};
const good: Run = {
  prefillNs: 100,
  stepNs: [10, 11, 12],
  selectNs: [1, 0, 1, 1],
  wallNs: 200,
  recompiles: 0,
  tokensReturned: 8,
  tokensSha256: 'a',
};
const prefillAlone: Run = { ...good, stepNs: [], selectNs: [1], tokensReturned: 2, tokensSha256: null };
const prompts = { promptTokens: 16 };

const cellViolations = (
  given: Cell,
  preparation: Parameters<typeof violationsOf>[1],
  samples: readonly { round: number; runs: readonly Run[] }[],
) =>
  violationsOf(
    given,
    preparation,
    samples.map(({ round, runs }) => ({ round, runs: runs.map((run) => summariseRun(given, run)) })),
  );

test('an honest record breaks none', () => {
  expect(runViolations(cell, good)).toEqual([]);
  expect(runViolations(cell, prefillAlone)).toEqual([]);
  expect(
    cellViolations(cell, prompts, [
      { round: 0, runs: [good, prefillAlone] },
      { round: 1, runs: [good] },
    ]),
  ).toEqual([]);
});

test.each<[string, Partial<Run>, RegExp]>([
  ['a token too few', { tokensReturned: 7 }, /tokens returned: 7 instead of 8/],
  ['a doubled batch', { tokensReturned: 16 }, /tokens returned: 16 instead of 8/],
  ['a dropped last step', { stepNs: [10, 11] }, /timed decode steps: 2 instead of 3/],
  ['a missing selection', { selectNs: [1, 1, 1] }, /timed selections: 3 instead of 4/],
  ['a recompilation', { recompiles: 1 }, /recompilations while timing: 1 instead of 0/],
  ['no prefill time', { prefillNs: 0 }, /prefill time of 0 ns/],
  ['a negative step', { stepNs: [10, -1, 12] }, /decode step time of -1 ns/],
  ['an infinite step', { stepNs: [10, Number.POSITIVE_INFINITY, 12] }, /decode step time of Infinity ns/],
  ['a step without a number', { stepNs: [10, Number.NaN, 12] }, /decode step time of NaN ns/],
  ['a negative selection', { selectNs: [1, -2, 1, 1] }, /selection time of -2 ns/],
  ['phases longer than the run', { wallNs: 130 }, /phases of 136 ns within a wall time of 130 ns/],
  [
    'an early return called whole',
    { stepNs: [], selectNs: [1], tokensReturned: 2 },
    /tokens returned: 2 instead of 8/,
  ],
])('%s is named', (_, change, words) => {
  const found = cellViolations(cell, prompts, [{ round: 3, runs: [{ ...good, ...change }] }]);
  expect(found.join('; ')).toMatch(words);
  expect(found.join('; ')).toContain('(round 3)');
});

test('a breach is named once, with its rounds', () => {
  const samples = [0, 1, 2, 3, 4, 5, 6, 7].map((round) => ({
    round,
    runs: [{ ...good, tokensReturned: round }],
  }));
  expect(cellViolations(cell, prompts, samples)).toEqual([
    'tokens returned: 0 instead of 8 (round 0, 1, 2, 3, 4, 5, …)',
  ]);
});

test('answers that differ between rounds are a breach', () => {
  const samples = [
    { round: 0, runs: [good] },
    { round: 1, runs: [{ ...good, tokensSha256: 'b' }] },
  ];
  expect(cellViolations(cell, prompts, samples).join()).toMatch(/2 different answers/);
});

test('a sample of prefills alone, no sample and no preparation are breaches', () => {
  expect(cellViolations(cell, prompts, [{ round: 0, runs: [prefillAlone] }]).join()).toMatch(
    /no whole generation/,
  );
  expect(cellViolations(cell, prompts, [])).toEqual(['no sample was recorded']);
  expect(cellViolations(cell, undefined, [])).toEqual(['the prompts of the cell were not recorded']);
});

test('padding is not counted as prompt tokens', () => {
  expect(promptViolations(cell, 16)).toEqual([]);
  expect(promptViolations(cell, 17).join()).toMatch(/17 instead of 16/);
  const ragged = { ...cell, batchSize: 3, promptLength: { length: 10, spread: 0.55 } };
  // One prompt of 10 tokens, the others at least ceil(4.5) = 5.
  expect(promptViolations(ragged, 20)).toEqual([]);
  expect(promptViolations(ragged, 30)).toEqual([]);
  expect(promptViolations(ragged, 19).join()).toMatch(/19 instead of 20 to 30/);
  expect(promptViolations(ragged, 31)).toHaveLength(1);
});

const byTool: Run = {
  ...good,
  stepNs: [],
  selectNs: [],
  stepTotal: { steps: 3, ns: 33 },
  tokensReturned: 0,
  tokensSha256: null,
};

test('a tool that tells only sums must have counted the right steps', () => {
  expect(runViolations(cell, byTool)).toEqual([]);
  expect(cellViolations(cell, prompts, [{ round: 0, runs: [byTool] }])).toEqual([]);
  expect(runViolations(cell, { ...byTool, stepTotal: { steps: 0, ns: 0 } })).toEqual([]);
  expect(runViolations(cell, { ...byTool, stepTotal: { steps: 4, ns: 33 } }).join()).toMatch(
    /4 instead of 3/,
  );
  expect(runViolations(cell, { ...byTool, stepTotal: { steps: 3, ns: 0 } }).join()).toMatch(
    /decode time of 0/,
  );
  expect(runViolations(cell, { ...byTool, stepTotal: { steps: 3, ns: 200 } }).join()).toMatch(/wall time/);
});
