import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fileStem, slug } from '../../src/report/file-name.ts';
import { HOSTILE } from './fixtures.ts';

test('plain names stay readable', () => {
  expect(fileStem(['llama-3.2_1b', 'int4', 'cpu'])).toBe('llama-3.2_1b-int4-cpu');
});

test.each([...HOSTILE, '', '.', '..', 'CON', 'a/b', 'a\\b', '-flag', 'x.'])(
  '%j becomes a harmless name',
  (text) => {
    expect(slug(text)).toMatch(/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/);
    expect(slug(text).length).toBeLessThanOrEqual(60);
  },
);

test('different names never meet, whatever their case', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
      fc.pre(a !== b);
      expect(slug(a).toLowerCase()).not.toBe(slug(b).toLowerCase());
    }),
  );
  expect(slug('Phi')).not.toBe(slug('phi'));
});
