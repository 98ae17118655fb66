import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Decoder } from '../../../src/engines/engine.ts';
import { load as loadModel } from '../../../src/engines/onnxruntime/load.ts';
import { INT32 } from '../../../src/engines/onnxruntime/onnxbytes.ts';
import type { Loaded, LoadRequest } from '../../../src/schema/protocol.ts';
import {
  referenceLogits,
  referenceTokens,
  type TinyDecoder,
  VOCAB,
  writeTinyDecoder,
} from './tinydecoder.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ortbench-decoder-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

async function load(request: Partial<LoadRequest>): Promise<{ decoder: Decoder; loaded: Loaded }> {
  return loadModel({
    model: 'tiny',
    artefactDir: dir,
    precision: 'fp32',
    device: 'cpu',
    threads: 1,
    maxBatchSize: 4,
    maxSequenceLength: 64,
    options: {},
    ...request,
  });
}

let made = 0;
async function loadTiny(options: TinyDecoder = {}): Promise<{ decoder: Decoder; loaded: Loaded }> {
  const artefactDir = join(dir, `tiny-${made++}`);
  writeTinyDecoder(artefactDir, options);
  return load({ artefactDir });
}

const argmax = (row: Float32Array) => row.indexOf(row.reduce((a, b) => Math.max(a, b)));

/** Greedy tokens, [batch][count]. */
async function tokens(
  decoder: Decoder,
  prompts: number[][],
  count: number,
  capacity = 40,
): Promise<number[][]> {
  await decoder.begin(
    prompts.map((prompt) => Int32Array.from(prompt)),
    capacity,
  );
  const chosen: number[][] = prompts.map(() => []);
  const ids = new Int32Array(prompts.length);
  let logits = await decoder.prefill();
  for (let k = 0; ; k++) {
    for (let b = 0; b < prompts.length; b++) {
      ids[b] = argmax(logits.subarray(b * VOCAB, (b + 1) * VOCAB));
      chosen[b]!.push(ids[b]!);
    }
    if (k === count - 1) return chosen;
    logits = await decoder.step(ids);
  }
}

const UNIFORM = [
  [3, 9, 27, 1, 14],
  [8, 8, 2, 20, 5],
  [28, 0, 11, 7, 7],
];
const RAGGED = [[4, 17], [3, 9, 27, 1, 14, 6, 2], [21], [10, 11, 12, 13]];

describe('decoding', () => {
  test('prefill and every step give the logits of the whole sequence', async () => {
    const { decoder } = await loadTiny();
    const prompt = [3, 9, 27, 1, 14];
    await decoder.begin([Int32Array.from(prompt)], 40);
    const sequence = [...prompt];
    let logits = await decoder.prefill();
    for (let k = 0; k < 12; k++) {
      const expected = referenceLogits(sequence);
      for (let v = 0; v < VOCAB; v++) expect(logits[v]).toBeCloseTo(expected[v]!, 4);
      const next = (k * 5 + 2) % VOCAB;
      sequence.push(next);
      logits = await decoder.step(Int32Array.of(next));
    }
    decoder.close();
  });

  test('each sequence of a batch decodes as it does alone, uniform and ragged', async () => {
    const { decoder } = await loadTiny();
    for (const prompts of [UNIFORM, RAGGED]) {
      const expected = prompts.map((prompt) => referenceTokens(prompt, 20));
      expect(await tokens(decoder, prompts, 20)).toEqual(expected);
      expect(decoder.effective?.().padding).toBe(prompts === RAGGED ? 'right' : 'none');
    }
    decoder.close();
  });

  test.each<[string, TinyDecoder, number[][]]>([
    ['a pruned head', { logits: 'last' }, UNIFORM],
    ['logits of every position', { logits: 'all' }, RAGGED],
    ['int32 ids', { integers: INT32 }, RAGGED],
    ['position ids', { positionIds: true }, RAGGED],
    ['float16 logits', { halfLogits: true }, UNIFORM],
    ['float16 logits of every position', { halfLogits: true, logits: 'all' }, RAGGED],
    ['external data in a folder', { external: 'genai/model.onnx.data' }, UNIFORM],
  ])('decodes a model with %s', async (_name, options, prompts) => {
    const { decoder } = await loadTiny(options);
    expect(await tokens(decoder, prompts, 8)).toEqual(prompts.map((prompt) => referenceTokens(prompt, 8)));
    decoder.close();
  });

  test('a run is untouched by the runs before it, whatever their shapes', async () => {
    const { decoder } = await loadTiny();
    const expected = UNIFORM.map((prompt) => referenceTokens(prompt, 10));
    expect(await tokens(decoder, UNIFORM, 10, 20)).toEqual(expected);
    await tokens(decoder, RAGGED, 25, 40);
    expect(await tokens(decoder, UNIFORM, 10, 15)).toEqual(expected);
    expect(await tokens(decoder, UNIFORM, 10, 15)).toEqual(expected);
    expect(await tokens(decoder, [UNIFORM[1]!], 10, 50)).toEqual([expected[1]]);
    decoder.close();
  });

  test('a prompt may fill the cache, and one token more is refused', async () => {
    const { decoder } = await loadTiny();
    await decoder.begin([Int32Array.of(1, 2, 3)], 4);
    await decoder.prefill();
    await decoder.step(Int32Array.of(4));
    expect(() => decoder.step(Int32Array.of(5))).toThrow(/cache of 4 tokens is full/);
    expect(() => decoder.begin([Int32Array.of(1, 2, 3)], 2)).toThrow(/3 tokens does not fit a KV cache of 2/);
    decoder.close();
  });

  test('calls out of order are refused and leave the decoder usable', async () => {
    const { decoder } = await loadTiny();
    expect(() => decoder.prefill()).toThrow(/needs a begin/);
    expect(() => decoder.step(Int32Array.of(1))).toThrow(/needs a prefill/);
    expect(() => decoder.begin([], 8)).toThrow(/at least one prompt token/);
    expect(() => decoder.begin([new Int32Array(0)], 8)).toThrow(/at least one prompt token/);
    decoder.begin([Int32Array.of(1), Int32Array.of(2)], 8);
    await decoder.prefill();
    expect(() => decoder.prefill()).toThrow(/needs a begin/);
    expect(() => decoder.step(Int32Array.of(1))).toThrow(/1 ids for a batch of 2/);
    expect(await tokens(decoder, UNIFORM, 3)).toEqual(UNIFORM.map((prompt) => referenceTokens(prompt, 3)));
    decoder.close();
    decoder.close();
    expect(() => decoder.begin([Int32Array.of(1)], 8)).toThrow(/closed/);
  });

  test('ids outside the vocabulary fail with the message of ONNX Runtime, and the session goes on', async () => {
    const { decoder } = await loadTiny();
    decoder.begin([Int32Array.of(VOCAB + 5)], 8);
    expect(() => decoder.prefill()).toThrow(
      expect.objectContaining({
        code: 'failed',
        message: expect.stringMatching(/running the model.*Gather/s),
      }),
    );
    expect(await tokens(decoder, UNIFORM, 3)).toEqual(UNIFORM.map((prompt) => referenceTokens(prompt, 3)));
    decoder.close();
  });

  test('a ragged batch on a pruned head is unsupported: its logits would be those of padding', async () => {
    const { decoder } = await loadTiny({ logits: 'last' });
    expect(() => decoder.begin([Int32Array.of(1), Int32Array.of(2, 3)], 8)).toThrow(
      expect.objectContaining({ code: 'unsupported', message: expect.stringContaining('logits_index') }),
    );
    decoder.close();
  });

  test('a cache that no memory can hold is oom, and the session goes on', async () => {
    const { decoder } = await loadTiny();
    expect(() => decoder.begin([Int32Array.of(1)], 2 ** 42)).toThrow(
      expect.objectContaining({ code: 'oom' }),
    );
    expect(await tokens(decoder, UNIFORM, 3)).toEqual(UNIFORM.map((prompt) => referenceTokens(prompt, 3)));
    decoder.close();
  });
});

describe('loading', () => {
  test('says how it runs', async () => {
    const { decoder, loaded } = await loadTiny();
    expect(loaded.vocabSize).toBe(VOCAB);
    expect(loaded.loadNs).toBeGreaterThan(0);
    expect(loaded.versions).toEqual({
      onnxruntime: expect.stringMatching(/^1\.\d+\.\d+$/),
      koffi: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      'onnxruntime-node': loaded.versions.onnxruntime,
    });
    expect(loaded.effective).toMatchObject({
      provider: 'CPUExecutionProvider',
      nodesPlaced: expect.stringMatching(/^CPUExecutionProvider ×\d+$/),
      nodesRun: expect.stringMatching(/^CPUExecutionProvider ×\d+$/),
      attention: 'GroupQueryAttention float32 ×1',
      matmul: 'MatMul float32 ×2',
      computeType: 'float32',
      intraOpThreads: 1,
      spinning: true,
      kvCache: 'shared past/present buffer',
      logitsScope: 'last position (logits_index)',
    });
    decoder.close();
  });

  test.each<[string, Partial<LoadRequest>, object]>([
    [
      'a folder without a model',
      { artefactDir: '/nonexistent' },
      { code: 'failed', message: /no model\.onnx/ },
    ],
    ['a device that cannot be had here', { device: 'cuda' }, { code: 'unavailable' }],
    ['an unknown option', { options: { spining: true } }, { code: 'failed', message: /spining/ }],
    ['an option of the wrong type', { options: { interOpThreads: 0 } }, { message: /interOpThreads/ }],
    ['a missing library', { options: { libraryPath: '/nonexistent.so' } }, { code: 'unavailable' }],
    [
      'a session entry that ONNX Runtime refuses',
      { options: { sessionConfig: { ['k'.repeat(2000)]: '1' } } },
      { code: 'failed', message: /k{20}/ },
    ],
  ])('refuses %s', async (_name, request, expected) => {
    const artefactDir = join(dir, 'refusals');
    writeTinyDecoder(artefactDir);
    const { message, ...rest } = expected as { message?: RegExp };
    await expect(load({ artefactDir, ...request })).rejects.toMatchObject({
      name: 'EngineError',
      ...rest,
      ...(message && { message: expect.stringMatching(message) }),
    });
  });

  test('refuses a model whose attention does not append in place', async () => {
    await expect(loadTiny({ attention: 'MultiHeadAttention' })).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('GroupQueryAttention'),
    });
  });

  test('refuses external data outside the model folder before ONNX Runtime sees it', async () => {
    await expect(loadTiny({ external: '../outside.data' })).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringContaining('leaves the model folder'),
    });
  });

  test('takes the head size from genai_config.json where the graph leaves it open', async () => {
    await expect(loadTiny({ headSizeStated: false })).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(/head_size open.*genai_config/),
    });
    const artefactDir = join(dir, 'open-head');
    writeTinyDecoder(artefactDir, { headSizeStated: false });
    writeFileSync(join(artefactDir, 'genai_config.json'), '{"model": {"decoder": {"head_size": 16}}}');
    const { decoder } = await load({ artefactDir });
    expect(await tokens(decoder, UNIFORM, 3)).toEqual(UNIFORM.map((prompt) => referenceTokens(prompt, 3)));
    decoder.close();
  });

  test('a malformed model is a failure with a message', async () => {
    const artefactDir = join(dir, 'refusals');
    writeFileSync(join(artefactDir, 'model.onnx'), 'this is no model');
    await expect(load({ artefactDir })).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringContaining('not a valid ONNX model'),
    });
  });
});
