import { describe, expect, it } from 'vitest';
import { compilerOf, hasSlowFloatKernels } from '../../../src/engines/llamacpp/build.ts';
import { flashAttentionFor, kvTypeFor, optionsSchema } from '../../../src/engines/llamacpp/options.ts';

describe('options', () => {
  it('are all optional', () => {
    expect(optionsSchema.parse({})).toEqual({
      library: 'auto',
      flashAttention: 'auto',
      kvCacheType: 'auto',
      kvUnified: false,
      nBatch: 2048,
      nUbatch: 512,
      poll: 50,
      useMmap: true,
    });
  });

  it.each([
    [{ flash: true }, /flash/],
    [{ nBatch: 0 }, /nBatch|>=1/],
    [{ nUbatch: 4096 }, /must not exceed nBatch/],
    [{ kvCacheType: 'int4' }, /f32/],
    [{ poll: 101 }, /100/],
    [{ libraryDir: '' }, /libraryDir/],
    [{ library: 'mine' }, /library/],
    [{ library: 'native', libraryDir: '/lib' }, /choose one/],
    [{ library: 'prebuilt', toolsDir: '/bin' }, /choose one/],
  ])('%j is refused', (options, message) => {
    expect(() => optionsSchema.parse(options)).toThrowError(message);
  });

  it('keep the cache as exact as fp32 weights, and llama.cpp’s own default otherwise', () => {
    expect(kvTypeFor('fp32', 'auto')).toBe('f32');
    for (const precision of ['fp16', 'bf16', 'int4'] as const)
      expect(kvTypeFor(precision, 'auto')).toBe('f16');
    expect(kvTypeFor('fp32', 'f16')).toBe('f16');
  });

  it('leave flash attention out where it would round an f32 cache to f16, unless the user insists', () => {
    expect(flashAttentionFor('f32', 'auto')).toBe('off');
    expect(flashAttentionFor('f16', 'auto')).toBe('auto');
    expect(flashAttentionFor('f32', 'on')).toBe('on');
  });
});

describe('the compiler of a build', () => {
  it.each([
    ['GCC 10.2.1', true],
    ['GCC 11.4.0', true],
    ['GCC 12.2.0', false],
    ['Clang 18.1.0', false],
    [null, false],
  ])('%s: slow float kernels %s', (compiler, slow) => {
    expect(hasSlowFloatKernels(compiler)).toBe(slow);
  });

  it('is not invented for a file that names none', () => {
    expect(compilerOf(new URL(import.meta.url).pathname)).toBeNull();
  });
});
