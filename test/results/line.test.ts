import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeLine, encodeLine } from '../../src/results/line.ts';
import type { RunRecord } from '../../src/schema/record.ts';

const outcome = (reason: string | null): RunRecord => ({
  kind: 'outcome',
  cell: {
    engine: 'fake',
    model: 'none',
    precision: 'fp32',
    device: 'cpu',
    batchSize: 1,
    promptLength: { length: 4, spread: 0 },
    generate: 2,
  },
  status: 'failed',
  reason,
});

describe('record lines', () => {
  it('come back as they were, whatever text they carry', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (reason) => {
        const line = encodeLine(outcome(reason));
        expect(line.indexOf('\n')).toBe(line.length - 1);
        expect(decodeLine(line.slice(0, -1))).toEqual({ record: outcome(reason) });
      }),
    );
  });

  it('show any changed character', () => {
    const line = encodeLine(outcome('some reason')).trimEnd();
    fc.assert(
      fc.property(fc.nat(line.length - 1), fc.constantFrom('0', 'x', '"', '}'), (at, character) => {
        fc.pre(line[at] !== character);
        expect(decodeLine(line.slice(0, at) + character + line.slice(at + 1))).toHaveProperty('problem');
      }),
    );
  });

  it('of unknown content are refused', () => {
    expect(decodeLine('{"kind":"outcome"}')).toEqual({ problem: 'it has no checksum at its end' });
  });
});
