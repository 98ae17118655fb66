import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter, Tail } from '../../../src/runner/child/lines.ts';

describe('LineSplitter', () => {
  it('gives the same lines however the bytes are cut', () => {
    const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ''));
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(64)), (lines, cuts) => {
        const splitter = new LineSplitter();
        let rest = Buffer.from(lines.map((text) => `${text}\n`).join(''));
        const seen: string[] = [];
        for (const cut of cuts) {
          seen.push(...splitter.push(rest.subarray(0, cut)));
          rest = rest.subarray(cut);
        }
        seen.push(...splitter.push(rest));
        expect(seen).toEqual(lines.map((text) => Buffer.from(text).toString('utf8')));
      }),
    );
  });

  it('refuses to buffer more than its limit', () => {
    const splitter = new LineSplitter(10);
    expect([...splitter.push(Buffer.from('12345'))]).toEqual([]);
    expect(() => [...splitter.push(Buffer.from('678901'))]).toThrow(/more than 10 bytes/);
  });
});

describe('Tail', () => {
  it('keeps the last lines of any amount of text', () => {
    const tail = new Tail(100);
    for (let i = 0; i < 1000; i++) tail.push(Buffer.from(`line ${i}\n`));
    expect(tail.lines(2)).toBe('line 998\nline 999');
  });
});
