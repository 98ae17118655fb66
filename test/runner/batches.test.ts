import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FakeDecoder } from '../../src/engines/fake/decoder.ts';
import { fakeOptionsSchema } from '../../src/engines/fake/engine.ts';
import { NativeSession } from '../../src/engines/native/session.ts';
import { takeSample } from '../../src/runner/measure.ts';
import { refutedTokens } from '../../src/runner/parity/refuted.ts';
import { promptLengths } from '../../src/runner/parity/shape.ts';
import { drawPrompts, makeWork } from '../../src/runner/work.ts';
import type { Cell } from '../../src/schema/cell.ts';
import { cellViolations, promptViolations } from '../../src/stats/identities.ts';
import { endToEndThroughput, generationThroughput, promptThroughput } from '../../src/stats/rates.ts';
import { summariseRun } from '../../src/stats/run-summary.ts';

const vocabulary = { vocabSize: 64, specialTokenIds: [0, 1] };

const open = () => {
  const decoder = new FakeDecoder(fakeOptionsSchema.parse({ vocabSize: vocabulary.vocabSize }));
  return new NativeSession({
    decoder,
    loaded: { loadNs: 0, vocabSize: vocabulary.vocabSize, versions: {}, effective: {} },
  });
};

const cells: fc.Arbitrary<Cell> = fc.record({
  engine: fc.constant('fake'),
  model: fc.constant('m'),
  precision: fc.constant('fp32' as const),
  device: fc.constant('cpu' as const),
  batchSize: fc.integer({ min: 1, max: 9 }),
  promptLength: fc.record({
    length: fc.integer({ min: 1, max: 40 }),
    spread: fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 0.99, noNaN: true })),
  }),
  generate: fc.integer({ min: 2, max: 9 }),
});
const seeds = fc.integer({ min: 0, max: 1000 });

test('a batch of any shape holds the identities, and counts real tokens alone', async () => {
  await fc.assert(
    fc.asyncProperty(cells, seeds, async (cell, seed) => {
      const work = makeWork(cell, seed, vocabulary);
      const real = work.prompts.flat().length;
      expect(work.promptTokens).toBe(real);
      expect(promptViolations(cell, real)).toEqual([]);
      expect(promptViolations(cell, cell.batchSize * cell.promptLength.length + 1)).not.toEqual([]);

      const runs = await takeSample(open(), work, 0);
      const summaries = runs.map((run) => summariseRun(cell, run));
      expect(cellViolations(cell, work, [{ round: 0, runs: summaries }])).toEqual([]);
      const size = { batchSize: cell.batchSize, generate: cell.generate, promptTokens: real };
      const [run] = runs;
      const decode = run!.stepNs.reduce((a, b) => a + b);
      const select = run!.selectNs.reduce((a, b) => a + b);
      const prefill = runs.reduce((sum, { prefillNs }) => sum + prefillNs, 0);
      expect((promptThroughput(size, runs) * prefill) / 1e9 / runs.length).toBeCloseTo(real, 6);
      expect((generationThroughput(size, runs) * decode) / 1e9).toBeCloseTo(
        cell.batchSize * (cell.generate - 1),
        6,
      );
      expect((endToEndThroughput(size, runs) * (run!.prefillNs + decode + select)) / 1e9).toBeCloseTo(
        cell.batchSize * cell.generate,
        6,
      );
    }),
    { numRuns: 60 },
  );
});

test('each sequence of a ragged batch gets the answer that it gets alone, in any order', async () => {
  await fc.assert(
    fc.asyncProperty(cells, seeds, async (cell, seed) => {
      const { prompts, capacity, generate } = makeWork(cell, seed, vocabulary);
      const session = open();
      const answer = async (rows: number[][]) =>
        (await session.generate({ prompts: rows, generate, capacity, measurePeakMemory: false })).tokens;
      const together = await answer(prompts);
      expect(await answer(prompts.toReversed())).toEqual(together.toReversed());
      for (const [row, prompt] of prompts.entries()) expect(await answer([prompt])).toEqual([together[row]]);
    }),
    { numRuns: 40 },
  );
});

test('prompts drawn for another purpose have the same lengths and other tokens', () => {
  fc.assert(
    fc.property(cells, seeds, (cell, seed) => {
      const { prompts } = makeWork(cell, seed, vocabulary);
      const lengths = prompts.map((row) => row.length);
      const drawn = drawPrompts(lengths, seed, 'verification', vocabulary);
      expect(drawn.map((row) => row.length)).toEqual(lengths);
      expect(drawn.flat().every((id) => id > 1 && id < vocabulary.vocabSize)).toBe(true);
      if (lengths.reduce((a, b) => a + b) > 8) expect(drawn).not.toEqual(prompts);
    }),
  );
});

test('the prompts of a parity check go from the longest to the shortest that the spread allows', () => {
  fc.assert(
    fc.property(cells, ({ batchSize, promptLength }) => {
      const lengths = promptLengths({ batchSize, promptLength, steps: 32 });
      expect(lengths).toHaveLength(batchSize);
      expect(lengths[0]).toBe(promptLength.length);
      expect(lengths).toEqual(lengths.toSorted((a, b) => b - a));
      if (batchSize > 1)
        expect(lengths.at(-1)).toBe(Math.ceil(promptLength.length * (1 - promptLength.spread)));
    }),
  );
});

test('tokens are refuted by logits that choose others, not by a rounding', () => {
  // [steps 2][batch 2][vocab 4]
  const logits = Float32Array.of(0, 9, 1, 2, 3, 1, 0, 2.9999, 5, 0, 0, 0, 0, 0, 7, 1);
  expect(
    refutedTokens(
      logits,
      4,
      [
        [1, 0],
        [0, 2],
      ],
      'fp32',
    ),
  ).toBe(0);
  expect(
    refutedTokens(
      logits,
      4,
      [
        [1, 0],
        [3, 2],
      ],
      'fp32',
    ),
  ).toBe(0);
  expect(
    refutedTokens(
      logits,
      4,
      [
        [1, 1],
        [3, 2],
      ],
      'fp32',
    ),
  ).toBe(1);
  expect(
    refutedTokens(
      logits,
      4,
      [
        [2, 1],
        [1, 9],
      ],
      'int4',
    ),
  ).toBe(4);
  expect(() => refutedTokens(logits, 4, [[1]], 'fp32')).toThrow(/16 logits for 1 steps/);
});
