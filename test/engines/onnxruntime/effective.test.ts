import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { Engine, EngineSession } from '../../../src/engines/engine.ts';
import { onnxruntime } from '../../../src/engines/onnxruntime/engine.ts';
import { onnxruntimeJs } from '../../../src/engines/onnxruntime-js/engine.ts';
import { resolveModel } from '../../../src/models/catalogue.ts';
import { prepareArtefact } from '../../../src/models/prepare.ts';
import { endPreparer } from '../../../src/models/preparer.ts';
import type { Precision } from '../../../src/schema/vocabulary.ts';

afterAll(endPreparer);

/** llama-nano: 2 layers of 5 products (queries, keys and values are one), and the head. */
async function open(
  engine: Engine,
  precision: Precision,
  options: Record<string, unknown> = {},
): Promise<EngineSession> {
  const model = await resolveModel('llama-nano', '.');
  const { dir } = await prepareArtefact({ model, kind: 'onnx', precision, device: 'cpu' });
  if (engine.drive.kind !== 'native') throw new Error(`${engine.meta.id} is no native engine`);
  return engine.drive.load({
    model: 'llama-nano',
    artefactDir: dir,
    precision,
    device: 'cpu',
    threads: 1,
    maxBatchSize: 2,
    maxSequenceLength: 32,
    options: engine.options.parse(options),
  });
}

async function effectiveOf(...opening: Parameters<typeof open>) {
  const session = await open(...opening);
  await session.close();
  return session.loaded.effective;
}

describe('what really ran', { timeout: 600_000 }, () => {
  it.each([onnxruntime, onnxruntimeJs])('is read from the session in fp32: $meta.id', async (engine) => {
    const effective = await effectiveOf(engine, 'fp32');
    expect(effective).toMatchObject({
      provider: 'CPUExecutionProvider',
      nodesRun: expect.stringMatching(/^CPUExecutionProvider ×\d\d$/),
      matmul: 'MatMul float32 ×11',
      attention: 'GroupQueryAttention float32 ×2',
      computeType: 'float32',
      embeddingType: 'float',
      headType: 'float',
    });
    expect(effective.nodesPlaced).toEqual(
      engine === onnxruntime ? expect.stringMatching(/^CPUExecutionProvider ×\d\d$/) : null,
    );
    expect(effective).not.toHaveProperty('upcast');
  });

  // Every x86 processor with AVX2 has the kernel.
  it.each([onnxruntime, onnxruntimeJs])(
    'is the kernel with int8 activations in int4: $meta.id',
    async (engine) => {
      expect(await effectiveOf(engine, 'int4')).toMatchObject({
        matmul: 'MatMulNBits float32 ×11',
        computeType: 'int8 × int4',
        quantization: 'MatMulNBits int4, block 32, accuracy level 4',
        embeddingType: 'float',
        headType: 'int4',
      });
    },
  );

  it('is fp32 where a sweep insists on fp16, between casts; keys and values stay as they are', async () => {
    expect(await effectiveOf(onnxruntime, 'fp16', { fp16OnCpu: 'upcast' })).toMatchObject({
      upcast: 'fp16 weights multiplied in float32 (11 of the products), with 14 casts to and fro',
      matrixType: 'float32',
      computeType: 'float32',
      matmul: 'MatMul float32 ×11',
      attention: 'GroupQueryAttention float16 ×2',
      kvType: 'float16',
      embeddingType: 'float16',
      headType: 'float16',
    });
  });

  it('leaves no profile and no probe behind, and nothing of its own forward in an answer', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ortbench-effective-'));
    vi.stubEnv('TMPDIR', folder);
    try {
      const session = await open(onnxruntime, 'int4');
      expect(await readdir(folder)).toEqual([]);
      const run = { prompts: [[1, 2, 3]], generate: 4, capacity: 8, measurePeakMemory: false };
      const { tokens } = await session.generate(run);
      expect((await session.generate(run)).tokens).toEqual(tokens);
      expect(await readdir(folder)).toEqual([]);
      await session.close();
    } finally {
      vi.unstubAllEnvs();
      await rm(folder, { recursive: true });
    }
  });
});
