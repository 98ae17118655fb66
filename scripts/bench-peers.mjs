// `npm run bench:peers`: wall time of an ortbench sweep against optimum-benchmark's over the same cells (PyTorch eager,
// fp32, one model) with the same number of repetitions and warm-up runs. `--json`, `--repetitions N`, `--batches 1,4`;
// `--write` puts the times into docs/peers.md.
// Each is run twice: the first start of a program reads its files from disk, the second finds them in memory.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { replaceMarked } from './marked.mjs';

const { cacheRoot } = await import('../dist/files/cache-root.js');
const { resolveModel } = await import('../dist/models/catalogue.js');
const { prepareArtefact } = await import('../dist/models/prepare.js');
const { physicalCores } = await import('../dist/machine/cpu.js');
const { findSystemPython } = await import('../dist/python/interpreter.js');

const list = (text) => text.split(',').map(Number);
const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'llama-tiny' },
    repetitions: { type: 'string', default: '6' },
    batches: { type: 'string', default: '1,4' },
    prompts: { type: 'string', default: '32,128' },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const sweep = {
  models: [values.model],
  engines: ['pytorch-eager'],
  precisions: ['fp32'],
  batchSizes: list(values.batches),
  promptLengths: list(values.prompts),
  generate: 256,
  repetitions: Number(values.repetitions),
  warmup: { runs: 2, seconds: 0 },
  threads: physicalCores(),
};
const here = fileURLToPath(new URL('.', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'ortbench-peers-'));
try {
  const python = await peerPython();
  const { dir: checkpoint } = await prepareArtefact({
    model: await resolveModel(values.model, '.'),
    kind: 'checkpoint',
    precision: 'fp32',
    device: 'cpu',
  });
  const results = [];
  for (const start of ['cold', 'warm']) {
    if (start === 'cold') dropPages();
    const peer = peerSeconds(python, checkpoint);
    if (start === 'cold') dropPages();
    const own = ortbenchSeconds([]);
    const bare = start === 'warm' ? ortbenchSeconds(['--no-parity']) : null;
    results.push({ start, optimumBenchmarkSeconds: peer, ortbenchSeconds: own, ratio: own / peer, bare });
  }
  if (values.write) await writePage(results);
  if (values.json) console.log(JSON.stringify({ sweep, results }, null, 2));
  else {
    for (const { start, optimumBenchmarkSeconds: peer, ortbenchSeconds: own, ratio, bare } of results) {
      const unchecked = bare === null ? '' : `, without parity ${bare.toFixed(1)} s`;
      console.log(
        `${start}: optimum-benchmark ${peer.toFixed(1)} s, ortbench ${own.toFixed(1)} s${unchecked}, ratio ${ratio.toFixed(2)}`,
      );
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function writePage(results) {
  const { captureEnvironment } = await import('../dist/machine/environment.js');
  const { table } = await import('../dist/report/markdown.js');
  const { cpuModel, os } = await captureEnvironment();
  const { models, batchSizes, promptLengths, generate, repetitions, warmup, threads } = sweep;
  const what =
    `Measured on ${new Date().toISOString().slice(0, 10)} on ${cpuModel}, ${threads} threads, ${os}: ${models[0]}, PyTorch ` +
    `eager, fp32, batches ${batchSizes.join(' and ')}, prompts ${promptLengths.join(' and ')}, ${generate} tokens, ` +
    `${repetitions} repetitions, ${warmup.runs} warm-up runs.`;
  const lines = results.map(({ start, optimumBenchmarkSeconds, ortbenchSeconds, ratio, bare }) => [
    start,
    ...[optimumBenchmarkSeconds, ortbenchSeconds].map((seconds) => `${seconds.toFixed(1)} s`),
    bare === null ? '' : `${bare.toFixed(1)} s`,
    ratio.toFixed(2),
  ]);
  const head = [
    'start',
    'optimum-benchmark',
    'ortbench',
    'ortbench without parity',
    'ortbench / optimum-benchmark',
  ];
  const page = join(here, '../docs/peers.md');
  const text = `${what}\n\n${table(head, lines)}`;
  writeFileSync(
    page,
    replaceMarked(readFileSync(page, 'utf8'), 'measured', page, () => `\n\n${text}\n\n`),
  );
}

/** Its environment lies in the cache, apart from ours: it needs other versions. */
async function peerPython() {
  const requirements = join(here, 'peers/requirements.txt');
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const dir = join(cacheRoot(), `peer-optimum-benchmark-${digest}`);
  const python = join(dir, 'bin/python');
  const marker = join(dir, 'ready');
  if (existsSync(marker)) return python;
  const { file } = await findSystemPython();
  must(file, ['-m', 'venv', '--clear', dir]);
  must(python, ['-m', 'pip', 'install', '--quiet', '--requirement', requirements]);
  writeFileSync(marker, '');
  return python;
}

/** Where this process may: the kernel then forgets which files it has in memory. */
function dropPages() {
  try {
    writeFileSync('/proc/sys/vm/drop_caches', '3');
  } catch {
    console.error('page cache kept: only root can drop it, so "cold" is a first start in name only');
  }
}

function peerSeconds(python, checkpoint) {
  const { batchSizes, promptLengths, generate, repetitions, threads } = sweep;
  const asked = {
    batchSizes,
    promptLengths,
    generate,
    repetitions,
    threads,
    warmupRuns: sweep.warmup.runs,
    checkpoint,
  };
  return timed(python, [join(here, 'peers/optimum_benchmark_sweep.py'), JSON.stringify(asked)]);
}

function ortbenchSeconds(extra) {
  const config = join(scratch, 'sweep.yaml');
  writeFileSync(config, JSON.stringify(sweep));
  const out = join(scratch, `results-${Math.random().toString(36).slice(2)}`);
  return timed(process.execPath, [join(here, '../dist/cli.js'), 'sweep', config, '--out', out, ...extra]);
}

function timed(file, args) {
  const start = process.hrtime.bigint();
  must(file, args);
  return Number(process.hrtime.bigint() - start) / 1e9;
}

function must(file, args) {
  const { status, error } = spawnSync(file, args, { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`${file} ended with ${status}: ${error?.message ?? 'see above'}`);
}
