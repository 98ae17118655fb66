import fc from 'fast-check';
import { expect, it } from 'vitest';
import { argmaxRows } from '../../../src/engines/native/argmax.ts';

const select = (logits: Float32Array, rows: number): number[] => {
  const ids = new Int32Array(rows);
  argmaxRows(logits, rows, ids);
  return [...ids];
};

it('chooses the lowest of the highest in every row, whatever the length of a row', () => {
  const shape = fc.record({
    rows: fc.integer({ min: 1, max: 4 }),
    vocabSize: fc.integer({ min: 1, max: 70 }),
  });
  const withLogits = shape.chain(({ rows, vocabSize }) =>
    fc
      .array(fc.integer({ min: -5, max: 5 }), { minLength: rows * vocabSize, maxLength: rows * vocabSize })
      .map((values) => ({ rows, vocabSize, values })),
  );
  fc.assert(
    fc.property(withLogits, ({ rows, vocabSize, values }) => {
      const expected = Array.from({ length: rows }, (_, row) => {
        const own = values.slice(row * vocabSize, (row + 1) * vocabSize);
        return own.indexOf(Math.max(...own));
      });
      expect(select(Float32Array.from(values), rows)).toEqual(expected);
    }),
  );
});

it('passes over NaN, and refuses rows that hold no number or an infinite one', () => {
  expect(select(Float32Array.from([Number.NaN, 1, Number.NaN, 2, Number.NaN]), 1)).toEqual([3]);
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    for (const vocabSize of [1, 8, 13])
      expect(() => select(new Float32Array(vocabSize).fill(bad), 1)).toThrow('not finite numbers');
});
