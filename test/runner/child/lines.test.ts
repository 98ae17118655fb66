import { describe, expect, it } from 'vitest';
import { runnerLines, Tail } from '../../../src/runner/child/lines.ts';

describe('runnerLines', () => {
  it('refuses to buffer more than its limit, as the runner’s fault', () => {
    const lines = runnerLines(10);
    expect([...lines.push(Buffer.from('12345'))]).toEqual([]);
    expect(() => [...lines.push(Buffer.from('678901'))]).toThrow(
      /the runner sent a line of more than 10 bytes/,
    );
  });
});

describe('Tail', () => {
  it('keeps the last lines of any amount of text', () => {
    const tail = new Tail(100);
    for (let i = 0; i < 1000; i++) tail.push(Buffer.from(`line ${i}\n`));
    expect(tail.lines(2)).toBe('line 998\nline 999');
  });
});
