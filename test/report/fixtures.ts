import { createHash } from 'node:crypto';
import type { ReportInput } from '../../src/report/model.ts';
import { type Cell, cellKey, workKey } from '../../src/schema/cell.ts';
import { type Manifest, manifestSchema } from '../../src/schema/manifest.ts';
import { type RunRecord, recordSchema } from '../../src/schema/record.ts';
import type { Precision, Status } from '../../src/schema/vocabulary.ts';
import { sampleSummariser } from '../../src/stats/run-summary.ts';

export interface FakeEngine {
  readonly name: string;
  readonly title: string;
  /** Prompt and generation speed against the slowest: the truth that a report should find. */
  readonly speed: readonly [prefill: number, decode: number];
  readonly versions?: Record<string, string>;
}

export const ENGINES: readonly FakeEngine[] = [
  { name: 'onnxruntime', title: 'ONNX Runtime', speed: [2.2, 1.9], versions: { onnxruntime: '1.31.0' } },
  {
    name: 'pytorch-eager',
    title: 'PyTorch eager',
    speed: [1, 1],
    versions: { torch: '2.13.0+cpu', transformers: '5.23.0' },
  },
  {
    name: 'pytorch-compile',
    title: 'PyTorch torch.compile',
    speed: [1.2, 1.5],
    versions: { torch: '2.13.0+cpu', transformers: '5.23.0' },
  },
  { name: 'llamacpp', title: 'llama.cpp', speed: [1.6, 1.75], versions: { 'llama.cpp': 'v0.5.0 (b9999)' } },
];

export interface CellFault {
  readonly status: Status | 'unfinished' | 'wrong-tokens';
  readonly reason?: string;
}

export interface FixtureOptions {
  readonly models?: readonly { name: string; title: string; origin?: string }[];
  readonly engines?: readonly FakeEngine[];
  readonly precisions?: readonly Precision[];
  readonly batchSizes?: readonly number[];
  readonly promptLengths?: readonly (number | { length: number; spread: number })[];
  readonly rounds?: number;
  readonly generate?: number;
  /** Relative spread of a round's times. */
  readonly noise?: number;
  readonly baselines?: Manifest['baselines'];
  readonly parity?: boolean;
  readonly interrupted?: boolean;
  readonly title?: string | null;
  readonly seed?: number;
  /** What goes wrong in a cell. */
  readonly fault?: (cell: Cell) => CellFault | null;
  readonly verdict?: (cell: Cell) => 'match' | 'mismatch' | 'unchecked';
  /** Last change to the records, for a test of its own. */
  readonly edit?: (record: RunRecord) => RunRecord;
}

/** Uniform in [0, 1), the same on every machine (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A whole run as a report reads it. */
export function makeInput(options: FixtureOptions = {}): ReportInput {
  const { records, ...run } = makeRun(options);
  const summarise = sampleSummariser();
  return {
    ...run,
    records: records.map((record) => (record.kind === 'sample' ? summarise(record) : record)),
  };
}

/** A whole run's manifest and records, plausible and deterministic; both validated against their schemas. */
export function makeRun(options: FixtureOptions = {}) {
  const {
    models = [{ name: 'llama-tiny', title: 'Llama Tiny' }],
    engines = ENGINES,
    precisions = ['fp32', 'int4'],
    batchSizes = [1, 4],
    promptLengths = [64, 256],
    rounds = 6,
    generate = 256,
    noise = 0.01,
    baselines = [{ engine: 'pytorch-eager', precision: null }],
    parity = true,
    interrupted = false,
    title = null,
    seed = 1,
    fault = () => null,
    verdict = () => (parity ? 'match' : 'unchecked'),
    edit = (record) => record,
  } = options;
  const random = randomNumbers(seed);
  const cells: Cell[] = models.flatMap((model) =>
    engines.flatMap((engine) =>
      precisions.flatMap((precision) =>
        batchSizes.flatMap((batchSize) =>
          promptLengths.map((prompt) => ({
            engine: engine.name,
            model: model.name,
            precision,
            device: 'cpu' as const,
            batchSize,
            promptLength: typeof prompt === 'number' ? { length: prompt, spread: 0 } : prompt,
            generate,
          })),
        ),
      ),
    ),
  );

  const manifest: Manifest = {
    format: 1,
    runId: '20260301-120000-fixture',
    createdAt: '2026-03-01T12:00:00Z',
    title,
    configSha256: sha256('config'),
    config: {},
    environment: {
      cpuModel: 'Intel(R) Xeon(R) Platinum 8488C',
      physicalCores: 2,
      logicalCores: 4,
      cpuFeatures: ['avx2', 'avx512f', 'avx512_vnni', 'amx_tile'],
      memoryMiB: 15_900,
      os: 'Linux',
      kernel: '6.8.0',
      arch: 'x64',
      gpu: null,
      virtualised: true,
      cpuGovernor: null,
      node: '20.20.0',
      ortbench: '0.1.0',
    },
    seed: 1,
    threads: 2,
    repetitions: rounds,
    generate,
    baselines,
    engines: engines.map(({ name, title: shown }) => ({ name, engine: name, title: shown, options: {} })),
    models: models.map(({ name, title: shown, origin = 'seeded random weights' }) => ({
      name,
      title: shown,
      parameters: 58_300_000,
      layers: 6,
      origin,
    })),
    cells: cells.map((cell) => {
      const found = fault(cell);
      const before = found !== null && ['skipped', 'unsupported', 'unavailable'].includes(found.status);
      return {
        cell,
        status: before ? (found.status as Status) : ('planned' as const),
        reason: before ? (found.reason ?? 'no reason') : null,
      };
    }),
    parity,
  };

  const records: RunRecord[] = [];
  const sessions = new Set<string>();
  for (const [index, cell] of cells.entries()) {
    const found = fault(cell);
    if (found !== null && ['skipped', 'unsupported', 'unavailable'].includes(found.status)) continue;
    const engine = engines.find(({ name }) => name === cell.engine)!;
    const key = `${cell.model}/${cell.engine}/${cell.precision}`;
    if (!sessions.has(key)) {
      sessions.add(key);
      const { model, precision, device } = cell;
      const chain = { source: sha256(model), checkpoint: sha256(`${model} ${precision}`) };
      records.push({
        kind: 'session',
        engine: cell.engine,
        model,
        precision,
        device,
        artefact: sha256(key),
        chain,
        loadNs: 4e8 + random() * 1e8,
        versions: engine.versions ?? { [cell.engine]: '1.0.0' },
        effective: { threads: 2, computeType: precision === 'int4' ? 'fp32' : precision },
      });
      if (parity) {
        const said = verdict(cell);
        records.push({
          kind: 'parity',
          engine: cell.engine,
          model,
          precision,
          device,
          verdict: said,
          reason: said === 'match' ? null : `normalised error 0.31 over the tolerance 0.02`,
          batchSize: cell.batchSize,
          promptLength: cell.promptLength,
          figures: {
            normalisedError: said === 'match' ? 0.001 : 0.31,
            meanNormalisedError: said === 'match' ? 0.0005 : 0.2,
            systematicError: said === 'match' ? 0.0001 : 0.1,
            klDivergence: said === 'match' ? 1e-6 : 0.5,
            meanKlDivergence: said === 'match' ? 5e-7 : 0.2,
            top1Agreement: said === 'match' ? 1 : 0.4,
            decidedPositions: 30,
          },
          tolerances: {
            normalisedError: 0.02,
            systematicError: 0.01,
            meanKlDivergence: 0.01,
            top1Agreement: 0.99,
          },
          steps: 32,
          reference: { ...chain, artefact: chain.checkpoint },
        });
      }
    }
    records.push(...cellRecords(cell, engine, found, { rounds, noise, random, index }));
  }
  if (!interrupted) records.push({ kind: 'end', interrupted: false, wallNs: 600e9, engineNs: 540e9 });
  return {
    manifest: manifestSchema.parse(manifest),
    records: records.map((record) => recordSchema.parse(edit(record))),
    interrupted,
  };
}

interface RoundOptions {
  readonly rounds: number;
  readonly noise: number;
  readonly random: () => number;
  readonly index: number;
}

function cellRecords(
  cell: Cell,
  engine: FakeEngine,
  fault: CellFault | null,
  { rounds, noise, random, index }: RoundOptions,
): RunRecord[] {
  const { batchSize, generate } = cell;
  const { length, spread } = cell.promptLength;
  const promptTokens = length + (batchSize - 1) * Math.ceil(length * (1 - spread / 2));
  const faster = cell.precision === 'int4' ? 2.5 : cell.precision === 'fp32' ? 1 : 1.6;
  // Prefill is bound by compute, so its rate hardly grows with the batch; decode is bound by weights read, so it does.
  const prefillNs = (promptTokens * 1.4e6 * (1 + length / 4000)) / (engine.speed[0] * faster);
  const stepNs = (9e6 * (1 + 0.12 * batchSize) * (1 + length / 3000)) / (engine.speed[1] * faster);
  const jitter = () => 1 + noise * (random() + random() + random() - 1.5);
  const records: RunRecord[] = [
    {
      kind: 'preparation',
      cell,
      compileNs: cell.engine.includes('compile') ? 3.1e10 : 0,
      peakRssBytes: 500e6 + batchSize * 1e7,
      peakDeviceBytes: null,
      warmupDecodeNs: [stepNs * generate * 1.1, stepNs * generate],
      promptTokens,
      promptsSha256: sha256(workKey(cell)),
      effective: { cache: 'static' },
    },
  ];
  const digest = sha256(cellKey(cell));
  for (let round = 0; round < rounds; round++) {
    if (fault?.status === 'unfinished' && round >= 2) return records;
    const roundJitter = jitter();
    const wrong = fault?.status === 'wrong-tokens' && round === 1;
    const select = Array.from({ length: generate }, () => 2e4);
    const steps = Array.from({ length: generate - 1 }, () => Math.round(stepNs * roundJitter * jitter()));
    const prefill = Math.round(prefillNs * roundJitter * jitter());
    records.push({
      kind: 'sample',
      cell,
      round,
      turn: index % 4,
      startedNs: round * 6e10 + index * 1e9,
      runs: [
        {
          prefillNs: prefill,
          stepNs: steps,
          selectNs: select,
          wallNs:
            prefill + steps.reduce((sum, ns) => sum + ns, 0) + select.reduce((sum, ns) => sum + ns, 0) + 1e5,
          recompiles: 0,
          tokensReturned: batchSize * generate - (wrong ? 1 : 0),
          tokensSha256: digest,
        },
      ],
      otherLoadCores: 0.02,
    });
  }
  const ended = fault === null || fault.status === 'wrong-tokens' ? 'ok' : fault.status;
  if (ended === 'unfinished') return records;
  records.push({
    kind: 'outcome',
    cell,
    status: ended,
    reason: ended === 'ok' ? null : (fault?.reason ?? 'scripted'),
  });
  return records;
}

/** Names that try to be formulas, markup, paths and commands. */
export const HOSTILE = [
  '=HYPERLINK("http://x","y")',
  '+1+1',
  '-2+3',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  '../../etc/passwd',
  '<script>alert(1)</script>',
  '| a | b |\n# heading',
  '](javascript:alert(1)) ![x](y)',
  '`$(rm -rf ~)` && ;rm',
  'NUL\u0000byte \u202Egnp.exe',
  '中文模型 😀',
  'x'.repeat(300),
] as const;
