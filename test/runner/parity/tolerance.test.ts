import { expect, it } from 'vitest';
import { PARITY_TOLERANCES, tolerancesFor, worstOf } from '../../../src/runner/parity/tolerance.ts';

const llama = (layers: number) => ({ activation: 'silu', layers }) as const;

it('grows with the root of the depth, divergence with the depth, and is never below that of two layers', () => {
  const two = PARITY_TOLERANCES.int4;
  expect(tolerancesFor({}, 'int4', llama(2))).toEqual(two);
  expect(tolerancesFor({}, 'int4', llama(1))).toEqual(two);
  const deep = tolerancesFor({}, 'int4', llama(32));
  expect(deep.normalisedError).toBeCloseTo(4 * two.normalisedError);
  expect(deep.systematicError).toBeCloseTo(4 * two.systematicError);
  expect(deep.meanKlDivergence).toBeCloseTo(16 * two.meanKlDivergence);
  expect(deep.top1Agreement).toBe(two.top1Agreement);
});

it('is wider for the one activation that an engine computes coarsely, at fp32 alone', () => {
  const meta = { coarseFp32: { activation: 'gelu', reason: 'a table' } } as const;
  const gelu = { activation: 'gelu', layers: 2 } as const;
  expect(tolerancesFor(meta, 'fp32', llama(2))).toEqual(PARITY_TOLERANCES.fp32);
  expect(tolerancesFor(meta, 'bf16', gelu)).toEqual(PARITY_TOLERANCES.bf16);
  const coarse = tolerancesFor(meta, 'fp32', gelu);
  expect(coarse.normalisedError).toBeGreaterThan(PARITY_TOLERANCES.fp32.normalisedError);
  expect(coarse.normalisedError).toBeLessThan(PARITY_TOLERANCES.fp16.normalisedError);
});

it('names the figure that lies highest over its own tolerance', () => {
  const figures = {
    normalisedError: 0,
    meanNormalisedError: 0,
    systematicError: 3 * PARITY_TOLERANCES.int4.systematicError,
    klDivergence: 9,
    meanKlDivergence: 2 * PARITY_TOLERANCES.int4.meanKlDivergence,
    top1Agreement: 1,
    decidedPositions: 9,
  };
  expect(worstOf(figures, PARITY_TOLERANCES.int4)).toEqual({ times: 3, by: 'systematicError' });
});
