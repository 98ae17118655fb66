import { describe, expect, it } from 'vitest';
import type { Library } from '../../../src/engines/llamacpp/capi/library.ts';
import { LogSink } from '../../../src/engines/llamacpp/capi/log.ts';
import { engineErrorFromLog } from '../../../src/engines/llamacpp/context.ts';
import { decodeError } from '../../../src/engines/llamacpp/decoder.ts';

const ERROR = 4;

/** A library that has logged these errors. */
function libraryThatLogged(...errors: string[]): Library {
  const log = new LogSink();
  for (const error of errors) log.write(ERROR, error);
  return { log } as unknown as Library;
}

describe('errors from llama.cpp', () => {
  it.each([
    [1, 'failed', /no free KV cells for 7 more tokens/],
    [2, 'failed', /aborted/],
    [-1, 'failed', /refused the batch as invalid: logged/],
    [-2, 'oom', /could not allocate memory for the computation: logged/],
    [-3, 'failed', /failed to compute \(status -3\): logged/],
  ] as const)('llama_decode status %d is %s', (status, code, message) => {
    const error = decodeError(libraryThatLogged('logged'), status, 7);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it('are out of memory when the log says that an allocation failed', () => {
    const error = engineErrorFromLog(
      libraryThatLogged('ggml_aligned_malloc: insufficient memory', 'failed to allocate buffer'),
      'no context',
    );
    expect(error.code).toBe('oom');
    expect(error.message).toBe(
      'no context: ggml_aligned_malloc: insufficient memory; failed to allocate buffer',
    );
  });

  it('do not repeat what an earlier failure logged', () => {
    const library = libraryThatLogged('first');
    engineErrorFromLog(library, 'a');
    expect(engineErrorFromLog(library, 'b').message).toBe('b');
  });
});
