import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EngineSession } from '../../../src/engines/engine.ts';
import { readGraph } from '../../../src/engines/onnxruntime/graph.ts';
import { INT32 } from '../../../src/engines/onnxruntime/onnxbytes.ts';
import { importOnnxRuntimeNode } from '../../../src/engines/onnxruntime-js/binding.ts';
import { OrtJsDecoder } from '../../../src/engines/onnxruntime-js/decoder.ts';
import { onnxruntimeJs } from '../../../src/engines/onnxruntime-js/engine.ts';
import type { LoadRequest } from '../../../src/schema/protocol.ts';
import { referenceTokens, type TinyDecoder, VOCAB, writeTinyDecoder } from '../onnxruntime/tinydecoder.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ortbench-js-decoder-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

async function load(request: Partial<LoadRequest>): Promise<EngineSession> {
  if (onnxruntimeJs.drive.kind !== 'native') throw new Error('a native engine was expected');
  return onnxruntimeJs.drive.load({
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
async function loadTiny(
  tiny: TinyDecoder = {},
  options: Record<string, unknown> = {},
): Promise<EngineSession> {
  const artefactDir = join(dir, `tiny-${made++}`);
  writeTinyDecoder(artefactDir, tiny);
  return load({ artefactDir, options });
}

const UNIFORM = [
  [3, 9, 27, 1, 14],
  [8, 8, 2, 20, 5],
  [28, 0, 11, 7, 7],
];
const RAGGED = [[4, 17], [3, 9, 27, 1, 14, 6, 2], [21], [10, 11, 12, 13]];
const OUTPUTS = ['preallocated', 'returned'] as const;

async function tokens(session: EngineSession, prompts: number[][], generate: number, capacity = 40) {
  const { tokens: chosen } = await session.generate({
    prompts,
    generate,
    capacity,
    measurePeakMemory: false,
  });
  return chosen;
}
const expected = (prompts: number[][], generate: number) =>
  prompts.map((prompt) => referenceTokens(prompt, generate));

describe.each(OUTPUTS)('with %s outputs', (outputs) => {
  test.each<[string, TinyDecoder, number[][]]>([
    ['an index input, uniform', {}, UNIFORM],
    ['an index input, ragged', {}, RAGGED],
    ['a pruned head', { logits: 'last' }, UNIFORM],
    ['logits of every position', { logits: 'all' }, RAGGED],
    ['int32 ids', { integers: INT32 }, RAGGED],
    ['position ids', { positionIds: true }, RAGGED],
    ['float16 logits', { halfLogits: true, logits: 'all' }, RAGGED],
    ['external data in a folder', { external: 'genai/model.onnx.data' }, UNIFORM],
  ])('decodes a model with %s', async (_name, tiny, prompts) => {
    const session = await loadTiny(tiny, { outputs });
    expect(await tokens(session, prompts, 12)).toEqual(expected(prompts, 12));
    await session.close();
  });

  test('a run is untouched by the runs before it, whatever their shapes', async () => {
    const session = await loadTiny({}, { outputs });
    await tokens(session, RAGGED, 25, 40);
    for (const capacity of [20, 20, 15])
      expect(await tokens(session, UNIFORM, 10, capacity)).toEqual(expected(UNIFORM, 10));
    expect(await tokens(session, [UNIFORM[1]!], 10, 50)).toEqual(expected([UNIFORM[1]!], 10));
    await session.close();
  });

  test('ids outside the vocabulary fail with the message of ONNX Runtime, and the session goes on', async () => {
    const session = await loadTiny({}, { outputs });
    await expect(tokens(session, [[VOCAB + 5]], 2)).rejects.toMatchObject({
      name: 'EngineError',
      code: 'failed',
      message: expect.stringMatching(/running the model.*Gather/s),
    });
    expect(await tokens(session, UNIFORM, 3)).toEqual(expected(UNIFORM, 3));
    await session.close();
  });
});

test('says how its outputs are handled and what the cache takes', async () => {
  const bytesPerToken = 2 * 16 * 4;
  const preallocated = await loadTiny();
  expect(preallocated.loaded).toMatchObject({
    vocabSize: VOCAB,
    versions: { 'onnxruntime-node': expect.stringMatching(/^1\.\d+\.\d+/) },
    effective: {
      outputs: 'preallocated',
      intraOpThreads: 1,
      spinning: true,
      graphOptimizationLevel: 'all',
      kvCache: expect.stringContaining('one buffer'),
      nodesRun: expect.stringMatching(/^CPUExecutionProvider ×\d+$/),
      attention: 'GroupQueryAttention float32 ×1',
      logitsScope: 'last position (logits_index)',
    },
  });
  expect(await preallocated.prepare({ batchSize: 2, promptLength: 5, generate: 9 })).toMatchObject({
    effective: { kvCapacity: 14, kvCacheMiB: (2 * 14 * bytesPerToken) / 2 ** 20, padding: 'none' },
  });
  await preallocated.close();
  const returned = await loadTiny({}, { outputs: 'returned' });
  // prepare makes one step: the cache has grown to the prompt and one token.
  expect(await returned.prepare({ batchSize: 2, promptLength: 5, generate: 9 })).toMatchObject({
    effective: { kvCapacity: null, kvCacheMiB: (2 * 6 * bytesPerToken) / 2 ** 20 },
  });
  await returned.close();
});

test('session configuration reaches the library', async () => {
  await expect(loadTiny({}, { sessionConfig: { 'session.load_model_format': 'ORT' } })).rejects.toMatchObject(
    { name: 'EngineError', code: 'failed' },
  );
});

test.each<[string, Partial<LoadRequest>, object]>([
  ['another device', { device: 'cuda' }, { code: 'unsupported' }],
  ['an unknown option', { options: { libraryPath: '/x' } }, { code: 'failed' }],
  ['a folder without a model', { artefactDir: '/nowhere' }, { code: 'failed' }],
])('refuses %s', async (_name, request, error) => {
  await expect(load(request)).rejects.toMatchObject({ name: 'EngineError', ...error });
});

test('calls out of order and a full cache are refused and leave the decoder usable', async () => {
  const artefactDir = join(dir, 'states');
  writeTinyDecoder(artefactDir);
  const ort = await importOnnxRuntimeNode();
  const session = await ort.InferenceSession.create(join(artefactDir, 'model.onnx'));
  const integer = (name: string) => ({ name, elementType: 'int64' as const, dimensions: [-1, -1] });
  const slot = (name: string) => ({ name, elementType: 'float32' as const, dimensions: [-1, 1, -1, 16] });
  const graph = readGraph(
    artefactDir,
    [
      ...['input_ids', 'attention_mask', 'logits_index'].map(integer),
      ...['key', 'value'].map((part) => slot(`past_key_values.0.${part}`)),
    ],
    [
      { name: 'logits', elementType: 'float32', dimensions: [-1, 1, VOCAB] },
      ...['key', 'value'].map((part) => slot(`present.0.${part}`)),
    ],
  );
  const decoder = new OrtJsDecoder(ort, session, graph, 'preallocated');
  await expect(decoder.prefill()).rejects.toThrow(/needs a begin/);
  await expect(decoder.step(Int32Array.of(1))).rejects.toThrow(/needs a prefill/);
  expect(() => decoder.begin([], 8)).toThrow(/at least one prompt token/);
  expect(() => decoder.begin([Int32Array.of(1)], 2 ** 45)).toThrow(expect.objectContaining({ code: 'oom' }));
  decoder.begin([Int32Array.of(1), Int32Array.of(2)], 2);
  await decoder.prefill();
  await expect(decoder.prefill()).rejects.toThrow(/needs a begin/);
  await expect(decoder.step(Int32Array.of(1))).rejects.toThrow(/1 ids for a batch of 2/);
  await decoder.step(Int32Array.of(1, 2));
  await expect(decoder.step(Int32Array.of(1, 2))).rejects.toThrow(/cache of 2 tokens is full/);
  await decoder.close();
  await decoder.close();
  expect(() => decoder.begin([Int32Array.of(1)], 8)).toThrow(/closed/);
});
