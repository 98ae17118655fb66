// `npm run test:gpu`: on a machine with a GPU, everything that could not be run where ortbench was written. For each device
// it finds (CUDA, WebGPU/Vulkan): a sweep of nano models over all engines and precisions with parity, verified work and
// device memory, ONNX Runtime beside onnxruntime-genai, and pytest's CUDA tests. Prints what it found.
//
//   npm run test:gpu -- --device webgpu --onnxruntime DIR --llamacpp DIR --model llama-tiny
//
// --onnxruntime and --llamacpp name folders of libraries (engine option libraryDir). Exit code 0 when all that could run
// holds, 1 when something does not, 2 when no device was found.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    device: { type: 'string', multiple: true, default: ['cuda', 'webgpu'] },
    model: { type: 'string', multiple: true, default: ['llama-nano', 'phi-nano'] },
    onnxruntime: { type: 'string' },
    llamacpp: { type: 'string' },
  },
});
const { findDevices } = await import('../dist/machine/devices/find.js');
const scratch = mkdtempSync(join(tmpdir(), 'ortbench-gpu-'));

/** Every engine that may have a path; those that have none here are reported with their reasons. */
const ENGINES = {
  cuda: ['onnxruntime', 'genai', 'pytorch-eager', 'pytorch-compile', 'llamacpp'],
  webgpu: ['onnxruntime', 'llamacpp'],
};

function sweepOf(device) {
  const libraryDir = (dir) => (dir === undefined ? {} : { libraryDir: dir });
  return {
    title: `Device check on ${device}`,
    models: values.model,
    engines: ENGINES[device],
    precisions: ['fp32', 'fp16', 'bf16', 'int4'],
    batchSizes: [1, 3],
    promptLengths: [16, { length: 40, spread: 0.5 }],
    generate: 16,
    device,
    warmup: { runs: 1, seconds: 0 },
    repetitions: 3,
    minTimedSeconds: 0,
    baselines: device === 'cuda' ? [{ engine: 'genai' }] : [{ engine: 'llamacpp' }],
    engineOptions: {
      onnxruntime: libraryDir(values.onnxruntime),
      llamacpp: libraryDir(values.llamacpp),
    },
  };
}

const recordsOf = (dir) =>
  readFileSync(join(dir, 'records.jsonl'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

function check(device) {
  const config = join(scratch, `${device}.yaml`);
  // JSON is YAML.
  writeFileSync(config, JSON.stringify(sweepOf(device), null, 2));
  const out = join(scratch, device);
  const args = [join(root, 'dist/cli.js'), 'sweep', config, '--out', out];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  const manifest = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
  const records = recordsOf(out);
  console.log(`\n=== ${device}: ${manifest.environment.gpu} (sweep ended with ${status})`);
  for (const { engine, model, precision, effective } of records.filter(({ kind }) => kind === 'session')) {
    const { provider, nodesPlaced, kvLocation, layersOnDevice, cudaGraphs, attention } = effective;
    const facts = { provider, nodesPlaced, kvLocation, layersOnDevice, cudaGraphs, attention };
    console.log(`${engine} ${precision} ${model}: ${JSON.stringify(facts)}`);
  }
  const rows = new Map();
  for (const { kind, engine, precision, verdict, figures, reason } of records) {
    if (kind !== 'parity') continue;
    const key = `${engine} ${precision}`;
    const row = rows.get(key) ?? { parity: [], worst: 0, ok: 0, bad: [] };
    row.parity.push(verdict);
    row.worst = Math.max(row.worst, figures?.normalisedError ?? 0);
    if (verdict !== 'match') row.bad.push(`parity ${verdict}: ${reason}`);
    rows.set(key, row);
  }
  const outcomes = records.filter(({ kind }) => kind === 'outcome');
  for (const { cell, status, reason } of outcomes) {
    const key = `${cell.engine} ${cell.precision}`;
    const row = rows.get(key) ?? { parity: [], worst: 0, ok: 0, bad: [] };
    if (status === 'ok') row.ok++;
    else row.bad.push(`${status}: ${reason}`);
    rows.set(key, row);
  }
  console.log('\nengine and precision: cells ok, parity checks that match, largest normalised error');
  let failed = 0;
  for (const [key, { parity, worst, ok, bad }] of rows) {
    const matches = parity.filter((verdict) => verdict === 'match').length;
    console.log(`  ${key}: ${ok} ok, ${matches} of ${parity.length} match, ${worst.toExponential(1)}`);
    for (const problem of new Set(bad)) console.log(`    ${problem}`);
    // What a device lacks is a finding; what it computes wrongly is a failure.
    if (bad.some((problem) => !problem.startsWith('unsupported'))) failed++;
  }
  const notRun = new Set(
    manifest.cells
      .filter(({ status }) => status !== 'planned')
      .map(({ cell, status, reason }) => `${cell.engine} ${cell.precision}: ${status}: ${reason}`),
  );
  console.log('\nnot run:');
  for (const line of notRun) console.log(`  ${line}`);
  const ran = outcomes.filter(({ status }) => status === 'ok').length;
  if (ran === 0) console.log(`  nothing ran on ${device}`);
  return { device, ran, failed };
}

function pytest() {
  const python = process.env.ORTBENCH_PYTHON || 'python3';
  const args = ['-m', 'pytest', '-q', '-s', '-p', 'no:cacheprovider', 'runners/tests/test_cuda.py'];
  const env = { ...process.env, PYTHONPATH: join(root, 'runners') };
  const { status } = spawnSync(python, args, { cwd: root, stdio: 'inherit', env });
  return status === 0 ? 0 : 1;
}

let exitCode = 2;
try {
  const results = [];
  for (const device of values.device) {
    const found = await findDevices(device);
    if ('missing' in found) {
      console.log(`${device}: ${found.missing}; to mend: ${found.mend}`);
      continue;
    }
    for (const { name, driver, memoryMiB, software } of found.devices) {
      console.log(`${device}: ${name}, ${driver}, ${memoryMiB ?? '?'} MiB${software ? ', software' : ''}`);
    }
    results.push(check(device));
    if (device === 'cuda') results.push({ device: 'pytest', ran: 1, failed: pytest() });
  }
  if (results.length > 0) exitCode = results.some(({ ran, failed }) => failed > 0 || ran === 0) ? 1 : 0;
  for (const { device, ran, failed } of results)
    console.log(`${device}: ${ran} cells ok, ${failed} kinds with failures`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.exit(exitCode);
