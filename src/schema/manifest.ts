import { z } from 'zod';
import { cellSchema } from './cell.ts';
import { statusSchema } from './vocabulary.ts';

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
});
export type Environment = z.infer<typeof environmentSchema>;

/** How an engine of the sweep is to be shown: reports need no engine installed. */
export const manifestEngineSchema = z.strictObject({
  /** The sweep's name for it. */
  name: z.string(),
  engine: z.string(),
  title: z.string(),
  options: z.record(z.string(), z.unknown()),
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
      /** "seeded random weights", a hub id with revision, or "local folder": printed under charts. */
      origin: z.string(),
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
  /** Other tools' outputs, read by `ortbench import`: nothing here was measured by ortbench. */
  imported: z.literal(true).optional(),
});
export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestEngine = z.infer<typeof manifestEngineSchema>;
