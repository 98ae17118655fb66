import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Cell } from '../../src/schema/cell.ts';
import type { Run } from '../../src/schema/record.ts';
import {
  cellRates,
  endToEndThroughput,
  generationThroughput,
  promptThroughput,
  sampleRates as ratesOf,
  timeToFirstToken,
  type WorkSize,
} from '../../src/stats/rates.ts';
import { stepQuantiles, summariseRun } from '../../src/stats/run-summary.ts';

const run = (prefillNs: number, stepNs: number[], selectNs: number[]): Run => ({
  prefillNs,
  stepNs,
  selectNs,
  wallNs: 1e12,
  recompiles: 0,
  tokensReturned: 0,
  tokensSha256: stepNs.length === 0 ? null : 'x',
});

const cell: Cell = {
  engine: 'fake',
  model: 'm',
  precision: 'fp32',
  device: 'cpu',
  batchSize: 1,
  promptLength: { length: 1, spread: 0 },
  generate: 2,
};
const sampleRates = (work: WorkSize, runs: readonly Run[]) =>
  ratesOf(work, { runs: runs.map((one) => summariseRun(cell, one)), stepQuantilesNs: stepQuantiles(runs) });

test('ten milliseconds a token is 100 tokens/s a sequence', () => {
  const work = { batchSize: 4, generate: 256, promptTokens: 1024 };
  const one = run(512e6, new Array(255).fill(10e6), new Array(256).fill(1e6));
  expect(promptThroughput(work, [one])).toBeCloseTo(2000, 9);
  expect(generationThroughput(work, [one])).toBeCloseTo(400, 9);
  expect(timeToFirstToken([one])).toBe(513e6);
  // 4·256 tokens in 0.512 + 2.55 + 0.256 s
  expect(endToEndThroughput(work, [one])).toBeCloseTo(1024 / 3.318, 9);
  expect(sampleRates(work, [one]).interTokenP99Ns).toBe(10e6);
});

test('a prefill repeated alone counts for the prompt and not for decoding', () => {
  const work = { batchSize: 1, generate: 3, promptTokens: 10 };
  const runs = [run(10e6, [2e6, 4e6], [1, 1, 1]), run(30e6, [], [1])];
  expect(promptThroughput(work, runs)).toBeCloseTo(500, 9);
  expect(generationThroughput(work, runs)).toBeCloseTo(2 / 6e-3, 9);
  expect(endToEndThroughput(work, runs)).toBeCloseTo(3 / 16.000003e-3, 9);
});

test('a cell is the median of its rounds', () => {
  const work = { batchSize: 1, generate: 2, promptTokens: 1 };
  const rounds = [1e6, 4e6, 2e6].map((ns) => sampleRates(work, [run(ns, [ns], [0, 0])]));
  expect(cellRates(rounds).promptTokensPerSecond).toBeCloseTo(500, 9);
  expect(cellRates(rounds).interTokenP50Ns).toBe(2e6);
});

/** Any batch: its size, real prompt tokens, steps, and runs of whole numbers of nanoseconds. */
const batch = fc
  .record({
    batchSize: fc.integer({ min: 1, max: 64 }),
    generate: fc.integer({ min: 2, max: 12 }),
    promptTokens: fc.integer({ min: 1, max: 1e6 }),
    seeds: fc.array(fc.integer({ min: 1, max: 1e9 }), { minLength: 1, maxLength: 4 }),
  })
  .map(({ seeds, ...work }) => ({
    work,
    runs: seeds.map((seed) =>
      run(
        seed,
        Array.from({ length: work.generate - 1 }, (_, k) => 1 + ((seed * (k + 7)) % 1e7)),
        Array.from({ length: work.generate }, (_, k) => (seed * (k + 3)) % 1e4),
      ),
    ),
  }));
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

test('rate × seconds = tokens, for any batch', () => {
  fc.assert(
    fc.property(batch, ({ work, runs }) => {
      const prefill = total(runs.map(({ prefillNs }) => prefillNs)) / 1e9;
      const decode = total(runs.flatMap(({ stepNs }) => stepNs)) / 1e9;
      const select = total(runs.flatMap(({ selectNs }) => selectNs)) / 1e9;
      const close = (rate: number, seconds: number, tokens: number) =>
        expect(Math.abs((rate * seconds) / tokens - 1)).toBeLessThan(1e-9);
      close(promptThroughput(work, runs), prefill, work.promptTokens * runs.length);
      close(generationThroughput(work, runs), decode, work.batchSize * (work.generate - 1) * runs.length);
      close(
        endToEndThroughput(work, runs),
        prefill + decode + select,
        work.batchSize * work.generate * runs.length,
      );
    }),
  );
});

test('twice the batch in the same time is twice the rate; twice the time is half of it', () => {
  fc.assert(
    fc.property(batch, ({ work, runs }) => {
      const doubled = { ...work, batchSize: work.batchSize * 2, promptTokens: work.promptTokens * 2 };
      expect(generationThroughput(doubled, runs)).toBeCloseTo(2 * generationThroughput(work, runs), 6);
      const slow = runs.map((one) => ({
        ...one,
        prefillNs: one.prefillNs * 2,
        stepNs: one.stepNs.map((ns) => ns * 2),
      }));
      const ratio = (rate: typeof promptThroughput) => rate(work, slow) / rate(work, runs);
      expect(ratio(promptThroughput)).toBeCloseTo(0.5, 9);
      expect(ratio(generationThroughput)).toBeCloseTo(0.5, 9);
    }),
  );
});

test('percentiles of steps do not decrease, and lie among the steps', () => {
  fc.assert(
    fc.property(batch, ({ work, runs }) => {
      const { interTokenP50Ns, interTokenP90Ns, interTokenP99Ns } = sampleRates(work, runs);
      const steps = runs.flatMap(({ stepNs }) => stepNs);
      expect(interTokenP50Ns).toBeGreaterThanOrEqual(Math.min(...steps));
      expect(interTokenP90Ns).toBeGreaterThanOrEqual(interTokenP50Ns!);
      expect(interTokenP99Ns).toBeGreaterThanOrEqual(interTokenP90Ns!);
      expect(interTokenP99Ns).toBeLessThanOrEqual(Math.max(...steps));
    }),
  );
});

test('a tool that tells only sums has throughputs and no latencies', () => {
  const work = { batchSize: 2, generate: 5, promptTokens: 10 };
  const run = {
    prefillNs: 1e9,
    stepNs: [],
    selectNs: [],
    stepTotal: { steps: 4, ns: 2e9 },
    wallNs: 3e9,
    recompiles: 0,
    tokensReturned: 0,
    tokensSha256: null,
  };
  const prefillAlone = { ...run, stepTotal: { steps: 0, ns: 0 } };
  const rates = sampleRates(work, [run, prefillAlone]);
  expect(rates).toEqual({
    promptTokensPerSecond: 10,
    generationTokensPerSecond: 4,
    endToEndTokensPerSecond: null,
    timeToFirstTokenNs: null,
    interTokenP50Ns: null,
    interTokenP90Ns: null,
    interTokenP99Ns: null,
  });
  expect(cellRates([rates, rates])).toEqual(rates);
});
