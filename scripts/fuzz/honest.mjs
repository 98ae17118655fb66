/** What the readers are for: changes of these get further in than changes of what is refused already. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const json = (value) => Buffer.from(JSON.stringify(value));
const cell = {
  engine: 'fake',
  model: 'm',
  precision: 'fp32',
  device: 'cpu',
  batchSize: 2,
  promptLength: { length: 8, spread: 0.5 },
  generate: 3,
};
const of = { engine: 'fake', model: 'm', precision: 'fp32', device: 'cpu' };

export const RECORDS = [
  {
    kind: 'session',
    ...of,
    artefact: null,
    loadNs: 1,
    versions: { fake: '1' },
    effective: { threads: 2, a: null },
  },
  {
    kind: 'preparation',
    cell,
    compileNs: 0,
    peakRssBytes: 1e8,
    peakDeviceBytes: null,
    warmupDecodeNs: [1, 2],
    promptTokens: 12,
    promptsSha256: 'a',
    effective: {},
  },
  {
    kind: 'sample',
    cell,
    round: 0,
    turn: 1,
    startedNs: 5,
    runs: [
      {
        prefillNs: 10,
        stepNs: [1, 2],
        selectNs: [1, 1, 1],
        wallNs: 20,
        recompiles: 0,
        tokensReturned: 6,
        tokensSha256: 'b',
      },
    ],
    otherLoadCores: 0.1,
  },
  { kind: 'outcome', cell, status: 'ok', reason: null },
  { kind: 'end', interrupted: false, wallNs: 30, engineNs: 20 },
].map(json);

export const MANIFEST = json({
  format: 1,
  runId: 'r',
  createdAt: '2026-01-01T00:00:00Z',
  title: 't',
  configSha256: 'c',
  config: { a: [1] },
  environment: {
    cpuModel: 'x',
    physicalCores: 1,
    logicalCores: 2,
    cpuFeatures: ['avx2'],
    memoryMiB: 1000,
    os: 'o',
    kernel: 'k',
    arch: 'x64',
    gpu: null,
    virtualised: null,
    cpuGovernor: null,
    node: 'v20',
    ortbench: '0',
  },
  seed: 1,
  threads: 1,
  repetitions: 1,
  generate: 3,
  baselines: [{ engine: 'fake', precision: null }],
  engines: [{ name: 'fake', engine: 'fake', title: 'F', options: {} }],
  models: [{ name: 'm', title: 'M', parameters: 1, layers: 1, origin: 'o' }],
  cells: [{ cell, status: 'planned', reason: null }],
  parity: true,
});

export const MODEL_CONFIG = json({
  model_type: 'llama',
  vocab_size: 64,
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 64,
  bos_token_id: 1,
  eos_token_id: [2, 3],
  tie_word_embeddings: false,
});

/** The sweeps that come with ortbench. */
export const sweeps = () =>
  readdirSync(join(root, 'configs'))
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => readFileSync(join(root, 'configs', name)))
    .concat(
      Buffer.from(
        'models: [llama-nano]\nengines: [fake]\nprecisions: [fp32]\nbatchSizes: [1, 2]\npromptLengths: [8]\n',
      ),
    );

/** A graph of one operator. */
export const ONNX = Buffer.from([
  0x08, 0x0a, 0x3a, 0x15, 0x0a, 0x10, 0x0a, 0x01, 0x78, 0x12, 0x01, 0x79, 0x22, 0x08, 0x49, 0x64, 0x65, 0x6e,
  0x74, 0x69, 0x74, 0x79, 0x12, 0x01, 0x67,
]);
