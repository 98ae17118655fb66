import { describe, expect, it } from 'vitest';
import type { LlamaApi } from '../../../../src/engines/llamacpp/capi/bindings.ts';
import {
  CONTEXT_PARAMS,
  checkLayout,
  type Field,
  type Layout,
  MODEL_PARAMS,
  PARAMS_BYTES,
  readField,
  THREADPOOL_PARAMS,
  writeField,
} from '../../../../src/engines/llamacpp/capi/layout.ts';
import { verifyLayouts } from '../../../../src/engines/llamacpp/capi/library.ts';
import { EngineError } from '../../../../src/errors.ts';

function imageOf(layout: Layout): Uint8Array<ArrayBuffer> {
  const image = new Uint8Array(PARAMS_BYTES);
  for (const field of Object.values(layout)) writeField(image, field, field.initial ?? 0);
  return image;
}

/** What a library with one more `bytes`-wide field at `offset` would return. */
function withInserted(
  image: Uint8Array<ArrayBuffer>,
  offset: number,
  bytes: number,
): Uint8Array<ArrayBuffer> {
  const moved = new Uint8Array(PARAMS_BYTES);
  moved.set(image.subarray(0, offset));
  moved.set(image.subarray(offset, PARAMS_BYTES - bytes), offset + bytes);
  return moved;
}

const words = (image: Uint8Array<ArrayBuffer>) => ({ words: new BigUint64Array(image.buffer) });

/** A library that answers with these images. */
function fakeApi(
  model = imageOf(MODEL_PARAMS),
  context = imageOf(CONTEXT_PARAMS),
  pool: (params: Uint8Array, threads: number) => void = (params, threads) => {
    params.set(imageOf(THREADPOOL_PARAMS));
    writeField(params, THREADPOOL_PARAMS.nThreads, threads);
  },
): Parameters<typeof verifyLayouts>[0] {
  return {
    llama_model_default_params: () => words(model),
    llama_context_default_params: () => words(context),
    ggml_threadpool_params_init: pool as LlamaApi['ggml_threadpool_params_init'],
  };
}

describe('fields', () => {
  const cases: [Field['kind'], number][] = [
    ['i32', -7],
    ['f32', -1.5],
    ['ptr', 0x7fff12345678],
    ['bool', 1],
  ];
  it.each(cases)('a %s written is read back and touches no neighbour', (kind, value) => {
    const image = new Uint8Array(64);
    const field: Field = { offset: 16, kind, initial: null };
    writeField(image, field, value);
    expect(readField(image, field)).toBe(value);
    const size = { i32: 4, f32: 4, ptr: 8, bool: 1 }[kind];
    expect([...image.subarray(0, 16), ...image.subarray(16 + size)].every((byte) => byte === 0)).toBe(true);
  });

  it('reads through a view that does not start at its buffer’s beginning', () => {
    const image = new Uint8Array(new ArrayBuffer(32), 8, 16);
    writeField(image, { offset: 4, kind: 'i32', initial: null }, 99);
    expect(readField(image, { offset: 4, kind: 'i32', initial: null })).toBe(99);
    expect(new DataView(image.buffer).getInt32(12, true)).toBe(99);
  });

  it.each([
    ['llama_model_params', MODEL_PARAMS],
    ['llama_context_params', CONTEXT_PARAMS],
    ['ggml_threadpool_params', THREADPOOL_PARAMS],
  ] as [string, Layout][])('no two fields of %s overlap', (_, layout) => {
    const size = { i32: 4, f32: 4, ptr: 8, bool: 1 };
    const fields = Object.values(layout).sort((a, b) => a.offset - b.offset);
    fields.slice(1).forEach((field, i) => {
      expect(field.offset).toBeGreaterThanOrEqual(fields[i]!.offset + size[fields[i]!.kind]);
    });
  });
});

describe('verifyLayouts', () => {
  it('accepts the layout that it knows', () => {
    expect(() => verifyLayouts(fakeApi(), 'libllama')).not.toThrow();
  });

  it('accepts a struct that gained a field at its end', () => {
    const longer = imageOf(CONTEXT_PARAMS);
    longer.fill(0xff, 160, 168);
    expect(() => verifyLayouts(fakeApi(undefined, longer), 'libllama')).not.toThrow();
  });

  it.each([0, 4, 8, 12, 20, 28, 36, 64, 84, 104, 108])(
    'refuses llama_context_params with a new field at byte %d',
    (offset) => {
      const moved = withInserted(imageOf(CONTEXT_PARAMS), offset, 4);
      expect(() => verifyLayouts(fakeApi(undefined, moved), 'libllama.so')).toThrowError(EngineError);
    },
  );

  it.each([0, 16, 20, 24])('refuses llama_model_params without the field at byte %d', (offset) => {
    const image = imageOf(MODEL_PARAMS);
    const moved = new Uint8Array(PARAMS_BYTES);
    moved.set(image.subarray(0, offset));
    moved.set(image.subarray(offset + 4), offset);
    expect(() => verifyLayouts(fakeApi(moved), 'libllama.so')).toThrowError(/llama_model_params/);
  });

  it('refuses a thread pool whose mask has another size', () => {
    const small = (params: Uint8Array, threads: number) => {
      params.fill(0);
      new DataView(params.buffer).setInt32(256, threads, true);
      new DataView(params.buffer).setInt32(264, 50, true);
    };
    expect(() => verifyLayouts(fakeApi(undefined, undefined, small), 'libllama.so')).toThrowError(
      /ggml_threadpool_params/,
    );
  });

  it('says which library, which struct, what it found and what to do', () => {
    const image = imageOf(CONTEXT_PARAMS);
    writeField(image, CONTEXT_PARAMS.nCtx, 4096);
    try {
      checkLayout('llama_context_params', CONTEXT_PARAMS, image, 'libllama.so');
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(EngineError);
      expect((error as EngineError).code).toBe('unavailable');
      expect((error as EngineError).message).toMatch(
        /libllama\.so.*llama_context_params.*nCtx is 4096, not 512.*llama\.cpp 0\.5/,
      );
    }
  });
});
