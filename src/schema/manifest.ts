import { z } from 'zod';
import { cellSchema } from './cell.ts';
import type { ModelShape } from './model.ts';
import { publishedSchema } from './published.ts';
import { rooflineSchema } from './roofline.ts';
import { precisionSchema, statusSchema } from './vocabulary.ts';

/** What bytes and operations of a model follow from. */
export const workShapeSchema = z.strictObject({
  parameters: z.number(),
  vocabSize: z.int(),
  hiddenSize: z.int(),
  layers: z.int(),
  heads: z.int(),
  kvHeads: z.int(),
  headSize: z.int(),
  tiedEmbeddings: z.boolean(),
  slidingWindow: z.int().nullable(),
});
export type WorkShape = z.infer<typeof workShapeSchema>;

export function workShape(shape: ModelShape): WorkShape {
  const { parameters, vocabSize, hiddenSize, layers, heads, kvHeads, headSize, tiedEmbeddings } = shape;
  const slidingWindow = shape.slidingWindow ?? null;
  return {
    parameters,
    vocabSize,
    hiddenSize,
    layers,
    heads,
    kvHeads,
    headSize,
    tiedEmbeddings,
    slidingWindow,
  };
}

/** How wide an engine keeps a parameter of a matrix, and an element of the KV cache, in bytes. */
export const weightStorageSchema = z.strictObject({ matrixBytes: z.number(), kvBytes: z.number() });
export type WeightStorage = z.infer<typeof weightStorageSchema>;

/** The machine and its software, from an allow-list: no environment variables, user names or paths. */
export const environmentSchema = z.strictObject({
  cpuModel: z.string(),
  physicalCores: z.int(),
  logicalCores: z.int(),
  cpuFeatures: z.array(z.string()),
  memoryMiB: z.number(),
  os: z.string(),
  kernel: z.string(),
  arch: z.string(),
  gpu: z.string().nullable(),
  virtualised: z.boolean().nullable(),
  cpuGovernor: z.string().nullable(),
  node: z.string(),
  ortbench: z.string(),
  /** Null where it could not be measured; absent in runs that load no model, and in those of before it was measured. */
  roofline: rooflineSchema.nullable().optional(),
  /** Of the checkout that it runs from; absent from manifests of earlier versions. */
  ortbenchCommit: z.string().nullable().optional(),
});
export type Environment = z.infer<typeof environmentSchema>;

/** How an engine of the sweep is to be shown: reports need no engine installed. */
export const manifestEngineSchema = z.strictObject({
  /** The sweep's name for it. */
  name: z.string(),
  engine: z.string(),
  title: z.string(),
  options: z.record(z.string(), z.unknown()),
  /** By precision; null for engines that load no weights. Absent in runs of before it was recorded. */
  storage: z.record(precisionSchema, weightStorageSchema).nullable().optional(),
  /** The command that makes a build for this machine, where the engine declares one. */
  nativeBuild: z.string().nullable().optional(),
  /** Its prefill runs the last layer's MLP for asked-for positions alone. Absent in runs of before it was recorded. */
  sparesLastMlp: z.boolean().optional(),
});

export const manifestSchema = z.strictObject({
  format: z.literal(1),
  runId: z.string(),
  createdAt: z.iso.datetime(),
  title: z.string().nullable(),
  /** SHA-256 of the validated sweep with all defaults, models resolved: resume refuses another. */
  configSha256: z.string(),
  /** The validated sweep itself. */
  config: z.unknown(),
  environment: environmentSchema,
  seed: z.int(),
  threads: z.int(),
  repetitions: z.int(),
  generate: z.int(),
  baselines: z.array(z.strictObject({ engine: z.string(), precision: z.string().nullable() })),
  engines: z.array(manifestEngineSchema),
  models: z.array(
    z.strictObject({
      name: z.string(),
      title: z.string(),
      parameters: z.number(),
      layers: z.int(),
      /** Layers of the whole model, where fewer were kept. */
      ofLayers: z.int().optional(),
      /** Its name without the cut, by which published figures know it; absent where it is `name`. */
      uncutName: z.string().optional(),
      /** "seeded random weights", a hub id with revision, or "local folder": printed under charts. */
      origin: z.string(),
      /** Absent in runs of before it was recorded. */
      shape: workShapeSchema.optional(),
    }),
  ),
  /** Every cell of the sweep in plan order, with the verdict of the plan on those that will not run. */
  cells: z.array(
    z.strictObject({
      cell: cellSchema,
      status: z.union([z.literal('planned'), statusSchema]),
      reason: z.string().nullable(),
    }),
  ),
  parity: z.boolean(),
  /** Published figures of these models, to print beside what was measured. */
  published: publishedSchema.optional(),
  /** Other tools' outputs, read by `ortbench import`: nothing here was measured by ortbench. */
  imported: z.literal(true).optional(),
});
export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestEngine = z.infer<typeof manifestEngineSchema>;
