// `npm run soak -- --minutes N`: sweeps with real runners, one after another in one harness, and what they leave behind.
// After each sweep the harness's memory, heap, open files and handles, and what it started; during each, every runner's
// memory and open files. Fails when one of them grows (median slope and rank correlation), when a process outlives its
// sweep, or when a sweep fails. `--engines fake --no-parity` needs no
// model; `--json`. Linux only: it reads /proc.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { growthOf } from './soak/growth.mjs';
import { descendants, nameOf, openFiles, residentMiB } from './soak/processes.mjs';

const { runSweep } = await import('../dist/commands/sweep.js');

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    engines: { type: 'string', default: 'onnxruntime,pytorch-eager,llamacpp,genai' },
    'no-parity': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const minutes = Number(values.minutes);
if (!(minutes > 0) || process.platform !== 'linux' || globalThis.gc === undefined) {
  console.error('npm run soak -- --minutes N, on Linux');
  process.exit(2);
}

const WATCH_MS = 250;
/** A preparer stays for two seconds after its last answer. */
const LEAVE_MS = 5000;
/** The reference of the parity check is a runner that ends when it has answered: it is never done with growing. */
const PARITY_EVERY = 4;
/** Fewer cannot show a trend. */
const FEWEST_SWEEPS = 8;
/** Sweeps before the first one that counts: code is compiled and caches fill in them. */
const WARMUP_SWEEPS = 2;
const MEMORY = { absolute: 16, share: 0.1 };
const FEW = { absolute: 2, share: 0 };

const sweep = {
  models: ['llama-nano'],
  engines: values.engines.split(','),
  isolation: 'process',
  precisions: ['fp32'],
  batchSizes: [1, 2],
  promptLengths: [16],
  generate: 16,
  repetitions: 20,
  warmup: { runs: 1, seconds: 0 },
  // Opening and closing is what may leak: the fake engine would fill its time with thousands of messages.
  minTimedSeconds: 0,
  threads: 1,
};

const started = performance.now();
const now = () => (performance.now() - started) / 1000;
const home = mkdtempSync(join(tmpdir(), 'ortbench-soak-'));
process.chdir(home);
process.env.CI = '1';
writeFileSync('soak.yaml', JSON.stringify(sweep));

const atRest = [];
const runners = new Map();
const problems = [];
let cells = 0;

function watch() {
  for (const pid of descendants(process.pid)) {
    const [memory, files] = [residentMiB(pid), openFiles(pid)];
    if (memory === null || files === null) continue;
    const known = runners.get(pid) ?? { name: nameOf(pid), memory: [], files: [] };
    known.memory.push([now(), memory]);
    known.files.push([now(), files]);
    runners.set(pid, known);
  }
}

/** Its own lines and headline go nowhere: thousands of them say the same. */
async function quietly(work) {
  const streams = [process.stdout, process.stderr].map((stream) => [stream, stream.write]);
  let said = '';
  for (const [stream] of streams) {
    stream.write = (chunk) => {
      said = (said + chunk).slice(-4000);
      return true;
    };
  }
  try {
    return { code: await work(), said: () => said };
  } finally {
    for (const [stream, write] of streams) stream.write = write;
  }
}

async function everythingEnded() {
  const until = performance.now() + LEAVE_MS;
  while (descendants(process.pid).length > 0 && performance.now() < until) await sleep(50);
  return descendants(process.pid);
}

try {
  for (let round = 0; now() < minutes * 60 || atRest.length < FEWEST_SWEEPS; round++) {
    runners.clear();
    const parity = !values['no-parity'] && round % PARITY_EVERY === 0;
    const timer = setInterval(watch, WATCH_MS);
    const { code, said } = await quietly(() => runSweep('soak.yaml', { out: `run-${round}`, parity }));
    clearInterval(timer);
    if (code !== 0) {
      problems.push(`sweep ${round} ended with exit code ${code}:\n${said()}`);
      break;
    }
    cells += sweep.engines.length * sweep.batchSizes.length;
    for (const { name, memory, files } of parity ? [] : runners.values()) {
      // The first half of a runner's life is loading and the first runs of each shape.
      const later = (points) => points.slice(Math.floor(points.length / 2));
      const grown = growthOf(later(memory), MEMORY);
      if (grown.grows) problems.push(`${name} grew by ${grown.growth.toFixed(1)} MiB in sweep ${round}`);
      if (growthOf(later(files), FEW).grows)
        problems.push(`${name} opened ever more files in sweep ${round}`);
    }
    const left = await everythingEnded();
    if (left.length > 0) problems.push(`after sweep ${round} there still is ${left.map(nameOf).join(', ')}`);
    rmSync(`run-${round}`, { recursive: true, force: true });
    globalThis.gc();
    atRest.push({
      at: now(),
      memoryMiB: residentMiB(process.pid),
      heapMiB: process.memoryUsage().heapUsed / 2 ** 20,
      files: openFiles(process.pid),
      handles: process.getActiveResourcesInfo().length,
      processes: left.length,
    });
  }
} finally {
  process.chdir(tmpdir());
  rmSync(home, { recursive: true, force: true });
}

const counted = atRest.length >= FEWEST_SWEEPS + WARMUP_SWEEPS ? atRest.slice(WARMUP_SWEEPS) : atRest;
const series = Object.fromEntries(
  [
    ['memoryMiB', MEMORY],
    ['heapMiB', { absolute: 8, share: 0.1 }],
    ['files', FEW],
    ['handles', FEW],
    ['processes', { absolute: 0.5, share: 0 }],
  ].map(([name, allowance]) => [
    name,
    growthOf(
      counted.map((row) => [row.at, row[name]]),
      allowance,
    ),
  ]),
);
for (const [name, { grows, growth, p }] of Object.entries(series)) {
  if (grows) problems.push(`${name} of the harness grew by ${growth.toFixed(1)} (p ${p.toExponential(1)})`);
}
const result = { seconds: now(), sweeps: atRest.length, cells, series, problems };
if (values.json) console.log(JSON.stringify(result, null, 2));
else {
  console.log(`${result.sweeps} sweeps, ${cells} cells in ${(result.seconds / 60).toFixed(1)} min`);
  for (const [name, { median, growth, perHour, p }] of Object.entries(series)) {
    console.log(
      `${name.padEnd(10)} median ${median.toFixed(1)}, growth ${growth.toFixed(2)} (${perHour.toFixed(1)} an hour), p ${p.toPrecision(2)}`,
    );
  }
  for (const problem of problems) console.log(`PROBLEM: ${problem}`);
}
process.exitCode = problems.length > 0 ? 1 : 0;
