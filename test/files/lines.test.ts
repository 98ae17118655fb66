import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter } from '../../src/files/lines.ts';

const tooLong = (limit: number) => new Error(`more than ${limit} bytes`);
const text = (line: Buffer) => line.toString('utf8');

describe('LineSplitter', () => {
  it('gives the same lines however the bytes are cut', () => {
    const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ''));
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(64)), (lines, cuts) => {
        const splitter = new LineSplitter(1e6, tooLong);
        let rest = Buffer.from(lines.map((text) => `${text}\n`).join(''));
        const seen: string[] = [];
        for (const cut of cuts) {
          seen.push(...[...splitter.push(rest.subarray(0, cut))].map(text));
          rest = rest.subarray(cut);
        }
        seen.push(...[...splitter.push(rest)].map(text));
        expect(splitter.pendingBytes).toBe(0);
        expect(seen).toEqual(lines.map((line) => Buffer.from(line).toString('utf8')));
      }),
    );
  });

  it('refuses to buffer more than its limit', () => {
    const splitter = new LineSplitter(10, tooLong);
    expect([...splitter.push(Buffer.from('12345'))]).toEqual([]);
    expect(splitter.pendingBytes).toBe(5);
    expect(() => [...splitter.push(Buffer.from('678901'))]).toThrow(/more than 10 bytes/);
  });
});
