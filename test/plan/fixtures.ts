import type { LoadedSweep } from '../../src/config/load.ts';
import type { EngineMeta } from '../../src/engines/engine.ts';
import type { PlanFacts } from '../../src/plan/plan.ts';
import type { ModelShape } from '../../src/schema/model.ts';
import { type SweepInput, sweepSchema } from '../../src/schema/sweep.ts';

/** 31 M parameters, embeddings tied, 4 KV heads of 8. */
export const shape: ModelShape = {
  modelType: 'llama',
  vocabSize: 32_000,
  hiddenSize: 512,
  layers: 6,
  heads: 8,
  kvHeads: 4,
  headSize: 64,
  intermediateSize: 1376,
  maxContextLength: 2048,
  tiedEmbeddings: true,
  activation: 'silu',
  parameters: 31_000_000,
};

const everything = { fp32: true, fp16: true, bf16: true, int4: true } as const;

export function meta(id: string, changes: Partial<EngineMeta> = {}): EngineMeta {
  return {
    id,
    title: `Engine ${id}`,
    artefact: 'onnx',
    precisions: { cpu: everything },
    ragged: true,
    isolation: 'process',
    compiles: false,
    ...changes,
  };
}

export function metas(...all: EngineMeta[]): Map<string, EngineMeta> {
  return new Map(all.map((entry) => [entry.id, entry]));
}

/** A sweep as loadSweep returns it, without a file. */
export function loaded(
  input: Partial<SweepInput>,
  shapes: Record<string, ModelShape> = { m: shape },
): LoadedSweep {
  const sweep = sweepSchema.parse({
    models: Object.keys(shapes),
    engines: ['a'],
    precisions: ['fp32'],
    batchSizes: [1],
    promptLengths: [32],
    ...input,
  });
  return {
    sweep,
    file: 'x.yaml',
    baseDir: '/',
    models: Object.entries(shapes).map(([name, shape]) => ({
      spec: { name, source: { kind: 'folder', path: name } },
      shape,
      origin: 'test',
    })) as unknown as LoadedSweep['models'],
    excludeAt: sweep.exclude.map((_, i) => `x.yaml:${i + 7}:5`),
    configSha256: '0'.repeat(64),
    published: null,
  };
}

export const facts: PlanFacts = { memoryMiB: 16_000, availableMiB: null, threads: 2 };
