import { describe, expect, it } from 'vitest';
import { workShape } from '../../src/schema/manifest.ts';
import type { Roofline } from '../../src/schema/roofline.ts';
import {
  bandwidthAt,
  type CellWork,
  matrixRate,
  phaseWork,
  rooflineViolations,
  silentMlpShare,
  storageAsRun,
  utilisations,
} from '../../src/stats/roofline.ts';
import { shape } from '../plan/fixtures.ts';

const rate = (operationsPerSecond: number) => ({ operationsPerSecond, kernel: 'k' });
const roofline: Roofline = {
  bandwidth: [
    { workingSetBytes: 2 ** 20, bytesPerSecond: 80e9, kernel: 'k' },
    { workingSetBytes: 2 ** 24, bytesPerSecond: 160e9, kernel: 'k' },
    { workingSetBytes: 2 ** 28, bytesPerSecond: 10e9, kernel: 'k' },
  ],
  matrix: { fp32: rate(400e9), fp16: null, bf16: rate(800e9), int8: rate(1600e9) },
  versions: {},
  threads: 2,
  measuredAt: '2026-03-01T12:00:00Z',
  seconds: 5,
  otherLoadCores: 0,
};

/** Two layers of 8 parameters a layer and feature would be hard to count: every number here is small on purpose. */
const tiny = {
  ...workShape(shape),
  parameters: 10 * 4 * 2 + 1000,
  vocabSize: 10,
  hiddenSize: 4,
  layers: 2,
  heads: 2,
  kvHeads: 1,
  headSize: 3,
  tiedEmbeddings: false,
};
const work: CellWork = {
  precision: 'fp32',
  batchSize: 2,
  promptTokens: 2 * 5,
  generate: 4,
  shape: tiny,
  storage: { matrixBytes: 4, kvBytes: 2 },
};

describe('phaseWork', () => {
  it('counts what a prefill takes: the table is looked up, and the head serves the last position alone', () => {
    const pairs = 2 * (1 + 2 + 3 + 4 + 5);
    // Of the last layer, eight of ten tokens are needed for their keys and values (2 · 4 · 3 parameters) alone.
    const silent = 2 * (1000 / 2 - 24) * 8 + 4 * 2 * 3 * (pairs - 2 * 5);
    expect(phaseWork('prefill', work)).toEqual({
      bytes: (1000 + 40) * 4,
      operations: 2 * 1000 * 10 + 2 * 40 * 2 + 4 * 2 * 2 * 3 * pairs - silent,
    });
  });

  it('counts keys and values of all tokens so far in a step, the mean of all steps', () => {
    const context = 2 * (5 + 2);
    expect(phaseWork('decode', work)).toEqual({
      bytes: (1000 + 40) * 4 + 2 * 2 * 1 * 3 * 2 * context,
      operations: 2 * (1000 + 40) * 2 + 4 * 2 * 2 * 3 * context,
    });
  });

  it('reads a tied table once, as the head', () => {
    const tied = { ...work, shape: { ...tiny, parameters: 1000 + 40, tiedEmbeddings: true } };
    expect(phaseWork('decode', tied)).toEqual(phaseWork('decode', work));
  });

  it('looks no further back than a sliding window', () => {
    const windowed = { ...work, shape: { ...tiny, slidingWindow: 3 } };
    const pairs = 2 * (1 + 2 + 3 + 3 + 3);
    const silent = 2 * (1000 / 2 - 24) * 8 + 4 * 2 * 3 * (pairs - 2 * 3);
    expect(phaseWork('prefill', windowed).operations).toBe(
      2 * 1000 * 10 + 2 * 40 * 2 + 4 * 2 * 2 * 3 * pairs - silent,
    );
    expect(phaseWork('decode', windowed).bytes).toBe((1000 + 40) * 4 + 2 * 2 * 1 * 3 * 2 * (2 * 3));
  });
});

describe('silentMlpShare', () => {
  it('is what the last layer does for positions that nobody asks for', () => {
    const pairs = 2 * (1 + 2 + 3 + 4 + 5);
    const all = 2 * 1000 * 10 + 2 * 40 * 2 + 4 * 2 * 2 * 3 * pairs;
    // A layer less keys and values, and less queries and output (2 · 4 · 6 parameters).
    expect(silentMlpShare(work)).toBeCloseTo((2 * (500 - 24 - 48) * 8) / all, 12);
  });

  it('is most of a prefill of one layer of Llama 2 7B, and little of all 32', () => {
    const llama = (layers: number): CellWork => ({
      ...work,
      batchSize: 1,
      promptTokens: 64,
      shape: {
        parameters: 2 * 32000 * 4096 + layers * (4 * 4096 * 4096 + 3 * 4096 * 11008),
        vocabSize: 32000,
        hiddenSize: 4096,
        layers,
        heads: 32,
        kvHeads: 32,
        headSize: 128,
        tiedEmbeddings: false,
        slidingWindow: null,
      },
    });
    expect(silentMlpShare(llama(1))).toBeCloseTo(0.651, 3);
    expect(silentMlpShare(llama(32))).toBeCloseTo(0.021, 3);
  });

  it('is nothing where all logits are asked for', () => {
    expect(silentMlpShare({ ...work, promptTokens: 2 })).toBe(0);
  });
});

describe('bandwidthAt', () => {
  it('interpolates between working sets, and ends flat', () => {
    expect(bandwidthAt(roofline, 2 ** 24)).toBeCloseTo(160e9, 0);
    expect(bandwidthAt(roofline, 2 ** 26) / 40e9).toBeCloseTo(1, 9);
    expect(bandwidthAt(roofline, 2 ** 40)).toBe(10e9);
  });

  it('never gives a small working set less than a larger one: it lies in the same cache', () => {
    expect(bandwidthAt(roofline, 1)).toBe(160e9);
    expect(bandwidthAt(roofline, 2 ** 21)).toBeCloseTo(160e9, 0);
  });
});

describe('utilisations', () => {
  it('measures each precision against the fastest type that it may multiply in', () => {
    expect(matrixRate(roofline, 'fp32')).toBe(400e9);
    expect(matrixRate(roofline, 'bf16')).toBe(800e9);
    expect(matrixRate(roofline, 'int4')).toBe(1600e9);
    expect(matrixRate({ matrix: { fp32: null, fp16: null, bf16: null, int8: null } }, 'int4')).toBeNull();
  });

  const at = (shareOfRoof: number) => {
    const stepsPerSecond =
      (shareOfRoof * bandwidthAt(roofline, phaseWork('decode', work).bytes)) /
      phaseWork('decode', work).bytes;
    const prefillsPerSecond = (shareOfRoof * 400e9) / phaseWork('prefill', work).operations;
    return { generationTokensPerSecond: 2 * stepsPerSecond, promptTokensPerSecond: 10 * prefillsPerSecond };
  };

  it('are 1 at the roof', () => {
    const { prefill, decode } = utilisations(work, at(1), roofline);
    expect(decode.mbu).toBeCloseTo(1, 9);
    expect(prefill.mfu).toBeCloseTo(1, 9);
  });

  it('are implausible beyond the allowance only', () => {
    expect(rooflineViolations(work, at(1.2), roofline)).toEqual([]);
    const found = rooflineViolations(work, at(1.6), roofline);
    expect(found.map(({ phase }) => phase)).toContain('decode');
    expect(found.map(({ phase }) => phase)).toContain('prefill');
    for (const { detail } of found) expect(detail).toMatch(/^implausible: a .*1\.60 times/);
  });
});

it('takes the cache type that the engine reports', () => {
  expect(storageAsRun({ matrixBytes: 4, kvBytes: 4 }, { kvCacheType: 'q8_0' }).kvBytes).toBe(34 / 32);
  expect(storageAsRun({ matrixBytes: 4, kvBytes: 2 }, { kvType: 'float32' }).kvBytes).toBe(4);
  expect(storageAsRun({ matrixBytes: 4, kvBytes: 2 }, {}).kvBytes).toBe(2);
  const upcast = { matrixType: 'float32', kvType: 'float16' };
  expect(storageAsRun({ matrixBytes: 2, kvBytes: 2 }, upcast)).toEqual({ matrixBytes: 4, kvBytes: 2 });
});
