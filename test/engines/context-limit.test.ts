import { describe, expect, it } from 'vitest';
import { contextLimit } from '../../src/engines/context-limit.ts';
import { meta, shape } from '../plan/fixtures.ts';

const blind = meta('a', { ignoresSlidingWindow: 'why' });

describe('contextLimit', () => {
  it.each([
    ['the context where there is no window', blind, null, 2048, null],
    ['the window where the engine has none', blind, 512, 512, 'why'],
    ['the context where it is within the window', blind, 4096, 2048, null],
    ['the context where the engine keeps to the window', meta('b'), 512, 2048, null],
  ] as const)('is %s', (_what, engine, slidingWindow, tokens, reason) => {
    expect(contextLimit(engine, { ...shape, slidingWindow })).toEqual({ tokens, reason });
  });
});
