import type { ReportInput } from '../../src/report/model.ts';
import { importedRecordSchema } from '../../src/schema/imported.ts';
import { manifestSchema } from '../../src/schema/manifest.ts';
import { type Phase, PRECISIONS } from '../../src/schema/vocabulary.ts';
import { type FixtureOptions, makeInput } from './fixtures.ts';

/** Of the fixtures' model. */
export const SHAPE = {
  parameters: 58_300_000,
  vocabSize: 32_000,
  hiddenSize: 512,
  layers: 6,
  heads: 8,
  kvHeads: 4,
  headSize: 64,
  tiedEmbeddings: false,
  slidingWindow: null,
};
export const STORAGE = { matrixBytes: 4, kvBytes: 4 };
const rate = (operationsPerSecond: number) => ({ operationsPerSecond, kernel: 'k' });

/** The run on a machine with this roof; the fixtures' fastest prefill makes about 120 GFLOP/s, its steps 30 GB/s. */
export function withRoof(
  input: ReportInput,
  bytesPerSecond: number,
  operationsPerSecond: number,
): ReportInput {
  const { manifest } = input;
  return {
    ...input,
    manifest: {
      ...manifest,
      environment: {
        ...manifest.environment,
        roofline: {
          bandwidth: [{ workingSetBytes: 2 ** 20, bytesPerSecond, kernel: 'k' }],
          matrix: { fp32: rate(operationsPerSecond), fp16: null, bf16: null, int8: null },
          versions: {},
          threads: 2,
          measuredAt: '2026-03-01T11:00:00Z',
          seconds: 4,
          otherLoadCores: 0,
        },
      },
      engines: manifest.engines.map((engine) => ({
        ...engine,
        storage: Object.fromEntries(PRECISIONS.map((precision) => [precision, STORAGE])) as Record<
          (typeof PRECISIONS)[number],
          typeof STORAGE
        >,
        nativeBuild: engine.name === 'llamacpp' ? 'npx ortbench setup llamacpp --native' : null,
      })),
      models: manifest.models.map((model) => ({ ...model, shape: SHAPE })),
    },
  };
}

/** llama-batched-bench's figure of every shape of the run, for both phases. */
function importedBeside({ manifest }: ReportInput): ReportInput {
  const engine = manifest.engines[0]!.name;
  // Other tools' prompts have one length.
  const cells = manifest.cells
    .map(({ cell }) => cell)
    .filter((cell) => cell.engine === engine && cell.promptLength.spread === 0);
  const figure = (cell: (typeof cells)[number], phase: Phase, place: number) =>
    importedRecordSchema.parse({
      kind: 'imported',
      definition: phase === 'prefill' ? 'llama-batched-bench-pp' : 'llama-batched-bench-tg',
      tokensPerSecond: 900 + 37.5 * place,
      tokens: 16,
      ns: [16e6],
      tool: 'llama-batched-bench',
      toolVersion: null,
      modelSaid: 'x.gguf',
      threads: 2,
      settings: {},
      source: { file: 'x.jsonl', line: place + 1, sha256: 'a'.repeat(64) },
      cell: { ...cell, engine: `llama-batched-bench ${phase === 'prefill' ? 'pp' : 'tg'}` },
    });
  return {
    manifest: manifestSchema.parse({
      ...manifest,
      runId: 'import-of-a-tool',
      engines: ['pp', 'tg'].map((test) => ({
        name: `llama-batched-bench ${test}`,
        engine: 'llama-batched-bench',
        title: `llama-batched-bench ${test} (imported)`,
        options: {},
      })),
      cells: [],
      baselines: [],
      parity: false,
      imported: true,
    }),
    records: cells.flatMap((cell, i) => [figure(cell, 'prefill', i), figure(cell, 'decode', i)]),
    interrupted: false,
  };
}

/** Every kind of bar at once: two runs on machines that differ, the first with a roof, and another tool's figures. */
export function gatheredInputs(options: FixtureOptions): ReportInput[] {
  const first = withRoof(makeInput(options), 400e9, 1500e9);
  const second = makeInput({ ...options, seed: 2 });
  const { manifest } = second;
  const environment = {
    ...manifest.environment,
    cpuModel: 'AMD EPYC 9R14 96-Core Processor',
    physicalCores: 96,
    memoryMiB: 500_000,
  };
  return [
    first,
    { ...second, manifest: { ...manifest, runId: 'second', environment } },
    importedBeside(first),
  ];
}
