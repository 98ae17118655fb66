import { describe, expect, it } from 'vitest';
import { describeTimes } from '../../../src/commands/progress/display.ts';
import { Tracker } from '../../../src/commands/progress/tracker.ts';
import type { Cell } from '../../../src/schema/cell.ts';

const cell = (batchSize: number): Cell => ({
  engine: 'a',
  model: 'm',
  precision: 'fp32',
  device: 'cpu',
  batchSize,
  promptLength: { length: 100, spread: 0 },
  generate: 11,
});
const sample = (batchSize: number) => ({
  type: 'sample' as const,
  cell: cell(batchSize),
  promptTokens: 100 * batchSize,
  runs: [
    {
      prefillNs: 1e9,
      stepNs: Array.from({ length: 10 }, () => 1e8),
      selectNs: [],
      wallNs: 2e9,
      recompiles: 0,
      tokensReturned: 11 * batchSize,
      tokensSha256: 'x',
    },
  ],
});
const planned = [
  { cell: cell(1), seconds: 10 },
  { cell: cell(2), seconds: 30 },
];

describe('Tracker', () => {
  it('weighs cells by their planned time when it guesses what is left', () => {
    const tracker = new Tracker(planned, 4, 0);
    expect(tracker.secondsLeft(5)).toBeNull();
    tracker.observe({ type: 'outcome', cell: cell(1), status: 'ok', reason: null });
    expect(tracker.secondsLeft(20)).toBeCloseTo(60, 6);
    tracker.observe({ type: 'outcome', cell: cell(2), status: 'failed', reason: 'x' });
    expect(tracker.secondsLeft(80)).toBeCloseTo(0, 6);
    expect(describeTimes(tracker, 80)).toBe('2 of 2 cells, 1 min 20 s so far, about 0 s left');
  });

  it('counts the rounds of a cell that is under way', () => {
    const tracker = new Tracker(planned.slice(0, 1), 3, 5);
    tracker.observe(sample(1));
    expect(tracker.secondsLeft(10)).toBeCloseTo(10, 6);
    expect(tracker.total).toBe(6);
    expect(tracker.done).toBe(5);
  });

  it('shows the rates of the sample just taken', () => {
    const tracker = new Tracker(planned, 4, 0);
    tracker.observe(sample(2));
    expect(tracker.rate).toBe('prompt 200 tokens/s, generation 20.0 tokens/s');
    expect(tracker.lastRates(cell(2))).toBe(tracker.rate);
    expect(tracker.lastRates(cell(1))).toBe('');
  });
});
