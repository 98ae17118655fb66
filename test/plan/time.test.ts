import { expect, it } from 'vitest';
import { estimateCellSeconds, estimatePhases, estimateSessionSeconds } from '../../src/plan/time.ts';
import type { Cell } from '../../src/schema/cell.ts';
import { loaded, meta, shape } from './fixtures.ts';

const cell: Cell = {
  engine: 'a',
  model: 'm',
  precision: 'fp32',
  device: 'cpu',
  batchSize: 1,
  promptLength: { length: 256, spread: 0 },
  generate: 257,
};
const engine = meta('a', { artefact: 'gguf' });
const { sweep } = loaded({});

it('takes a decode step for as long as its memory traffic at batch 1', () => {
  const { decodeSeconds } = estimatePhases(cell, shape, engine, 1);
  const kv = 2 * 6 * 4 * 64 * 4 * (256 + 257 / 2);
  expect(decodeSeconds).toBeCloseTo(256 * ((shape.parameters * 4 + kv) / 8e9 + 0.2e-3), 6);
});

it('takes a prefill for as long as its arithmetic', () => {
  const { prefillSeconds } = estimatePhases(cell, shape, engine, 1);
  const table = 32_000 * 512;
  const flops = 2 * (31e6 - table) * 256 + 2 * table + (4 * 6 * 8 * 64 * 256 * 256) / 2;
  expect(prefillSeconds).toBeCloseTo(flops / 25e9 + 0.2e-3, 6);
});

it('gets faster with threads and narrower weights', () => {
  const one = estimatePhases(cell, shape, engine, 1);
  expect(estimatePhases(cell, shape, engine, 4).prefillSeconds).toBeLessThan(one.prefillSeconds);
  expect(estimatePhases({ ...cell, precision: 'int4' }, shape, engine, 1).decodeSeconds).toBeLessThan(
    one.decodeSeconds,
  );
});

it('budgets warm-up, rounds of a least length, compiling and memory', () => {
  const { prefillSeconds, decodeSeconds } = estimatePhases(cell, shape, engine, 1);
  const run = prefillSeconds + decodeSeconds;
  const estimate = estimateCellSeconds(cell, shape, engine, { ...sweep, minTimedSeconds: 0 }, 1);
  expect(estimate.prepare).toBeCloseTo(Math.max(3, 2 * run), 9);
  expect(estimate.rounds).toBeCloseTo(6 * run, 9);
  expect(estimate.memory).toBeCloseTo(run, 9);
  const long = estimateCellSeconds(cell, shape, engine, { ...sweep, minTimedSeconds: 100 }, 1);
  expect(long.rounds).toBeGreaterThan(6 * 2 * 100);
  const compiled = estimateCellSeconds(cell, shape, { ...engine, compiles: true }, sweep, 1);
  expect(compiled.prepare).toBeGreaterThan(estimate.prepare + 10);
});

it('loads an engine that shares the process once more for memory', () => {
  const apart = estimateSessionSeconds(cell, shape, engine, sweep, 1);
  const shared = estimateSessionSeconds(cell, shape, { ...engine, isolation: 'in-process' }, sweep, 1);
  expect(shared).toBeGreaterThan(apart);
  expect(
    estimateSessionSeconds(
      cell,
      shape,
      { ...engine, isolation: 'in-process' },
      { ...sweep, measureMemory: false },
      1,
    ),
  ).toBe(apart);
});
