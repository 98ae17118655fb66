import { expect, test } from 'vitest';
import { checkStatus, engineErrorCode } from '../../../../src/engines/onnxruntime/capi/status.ts';

const RUNTIME_EXCEPTION = 6;
const NOT_IMPLEMENTED = 9;

test.each([
  'std::bad_alloc',
  'bad allocation',
  'Failed to allocate memory for requested buffer of size 34359738368',
  'CUDA out of memory',
  'BFCArena::AllocateRawInternal Available memory of 12 is smaller than requested bytes of 4096',
])('%s is oom', (message) => {
  expect(engineErrorCode(RUNTIME_EXCEPTION, message)).toBe('oom');
});

test('a missing kernel is unsupported, anything else failed', () => {
  expect(engineErrorCode(NOT_IMPLEMENTED, 'Could not find an implementation for Foo(1)')).toBe('unsupported');
  expect(engineErrorCode(RUNTIME_EXCEPTION, 'Non-zero status code returned')).toBe('failed');
});

test('a failed status is released before it is thrown, and success is left alone', () => {
  const released: unknown[] = [];
  const calls = {
    GetErrorCode: () => 1,
    GetErrorMessage: () => 'it broke\n',
    ReleaseStatus: (status: unknown) => {
      released.push(status);
      return undefined;
    },
  };
  expect(() => checkStatus(calls, 7n, 'testing')).toThrow(
    expect.objectContaining({ code: 'failed', message: 'ONNX Runtime failed while testing: it broke' }),
  );
  expect(released).toEqual([7n]);
  expect(() => checkStatus(calls, null, 'testing')).not.toThrow();
  expect(released).toEqual([7n]);
});
