// `npm run soak -- --minutes N`: sweeps with real runners, one after another in one harness, and what they leave behind.
// After each sweep the harness's memory, heap, open files and handles, and what it started; during each, every runner's
// memory and open files. Each is followed by a sweep of those engines that run in the harness's own process, where what
// they leak is the harness's growth. Fails when one of them grows (median slope and rank correlation), when a process
// outlives its sweep, or when a sweep fails. `--engines fake --no-parity` needs no model; `--json`. Linux only: it reads /proc.
// `--heap` says what the heap holds at the end that it did not hold when the first rounds were over, by V8's snapshots; they
// take memory themselves, so that the harness's own is not judged then.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { writeHeapSnapshot } from 'node:v8';
import { growthOf } from './soak/growth.mjs';
import { contentsOf, moreIn, totalNodes } from './soak/heap.mjs';
import { descendants, nameOf, openFiles, residentMiB } from './soak/processes.mjs';

const { runSweep } = await import('../dist/commands/sweep.js');
const { ENGINES } = await import('../dist/engines/index.js');

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    engines: { type: 'string', default: 'onnxruntime,pytorch-eager,llamacpp,genai' },
    'no-parity': { type: 'boolean', default: false },
    heap: { type: 'boolean', default: false },
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
const FEWEST_ROUNDS = 8;
/** Rounds before the first one that counts: code is compiled and caches fill in them. */
const WARMUP_ROUNDS = 2;
/** Of kinds that the heap has more of, in the answer. */
const MOST_KINDS = 12;
const MEMORY = { absolute: 16, share: 0.1 };
const FEW = { absolute: 2, share: 0 };

const engines = values.engines.split(',');
const unknown = engines.filter((id) => ENGINES[id] === undefined);
if (unknown.length > 0) {
  console.error(
    `error: --engines: there is no ${unknown.join(', ')}; there are ${Object.keys(ENGINES).join(', ')}`,
  );
  process.exit(2);
}
/** Those whose sessions share the harness's process unless a sweep says otherwise. */
const inProcess = [];
for (const id of engines) {
  const { drive, meta } = await ENGINES[id]();
  if (drive.kind === 'native' && meta.isolation === 'in-process') inProcess.push(id);
}

const common = {
  models: ['llama-nano'],
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
/** What each round sweeps. */
const sweeps = [
  { file: 'process.yaml', engines, isolation: 'process' },
  ...(inProcess.length > 0 ? [{ file: 'in-process.yaml', engines: inProcess, isolation: 'in-process' }] : []),
];
for (const { file, ...own } of sweeps) writeFileSync(file, JSON.stringify({ ...common, ...own }));

const atRest = [];
const runners = new Map();
const problems = [];
let cells = 0;
let heap = null;

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

function heapGrowth() {
  writeHeapSnapshot('end.heapsnapshot');
  const [warm, end] = ['warm', 'end'].map((name) => contentsOf(`${name}.heapsnapshot`));
  return {
    rounds: atRest.length - WARMUP_ROUNDS,
    nodes: totalNodes(end),
    more: moreIn(end, warm).slice(0, MOST_KINDS),
  };
}

try {
  for (let round = 0; now() < minutes * 60 || atRest.length < FEWEST_ROUNDS; round++) {
    runners.clear();
    const parity = !values['no-parity'] && round % PARITY_EVERY === 0;
    const timer = setInterval(watch, WATCH_MS);
    let failed = false;
    for (const { file, engines } of sweeps) {
      const { code, said } = await quietly(() => runSweep(file, { out: `run-${round}-${file}`, parity }));
      if (code !== 0) problems.push(`${file} of round ${round} ended with exit code ${code}:\n${said()}`);
      failed ||= code !== 0;
      cells += engines.length * common.batchSizes.length;
      rmSync(`run-${round}-${file}`, { recursive: true, force: true });
    }
    clearInterval(timer);
    if (failed) break;
    for (const { name, memory, files } of parity ? [] : runners.values()) {
      // The first half of a runner's life is loading and the first runs of each shape.
      const later = (points) => points.slice(Math.floor(points.length / 2));
      const grown = growthOf(later(memory), MEMORY);
      if (grown.grows) problems.push(`${name} grew by ${grown.growth.toFixed(1)} MiB in round ${round}`);
      if (growthOf(later(files), FEW).grows)
        problems.push(`${name} opened ever more files in round ${round}`);
    }
    const left = await everythingEnded();
    if (left.length > 0) problems.push(`after round ${round} there still is ${left.map(nameOf).join(', ')}`);
    globalThis.gc();
    atRest.push({
      at: now(),
      memoryMiB: residentMiB(process.pid),
      heapMiB: process.memoryUsage().heapUsed / 2 ** 20,
      files: openFiles(process.pid),
      handles: process.getActiveResourcesInfo().length,
      processes: left.length,
    });
    if (values.heap && atRest.length === WARMUP_ROUNDS) writeHeapSnapshot('warm.heapsnapshot');
  }
  if (values.heap && atRest.length > WARMUP_ROUNDS) heap = heapGrowth();
} finally {
  process.chdir(tmpdir());
  rmSync(home, { recursive: true, force: true });
}

const counted = atRest.length >= FEWEST_ROUNDS + WARMUP_ROUNDS ? atRest.slice(WARMUP_ROUNDS) : atRest;
const series = Object.fromEntries(
  [
    ...(values.heap ? [] : [['memoryMiB', MEMORY]]),
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
const result = { seconds: now(), rounds: atRest.length, inProcess, cells, series, heap, problems };
if (values.json) console.log(JSON.stringify(result, null, 2));
else {
  console.log(
    `${result.rounds} rounds, ${cells} cells in ${(result.seconds / 60).toFixed(1)} min; in the harness itself: ${inProcess.join(', ') || 'none'}`,
  );
  for (const [name, { median, growth, perHour, p }] of Object.entries(series)) {
    console.log(
      `${name.padEnd(10)} median ${median.toFixed(1)}, growth ${growth.toFixed(2)} (${perHour.toFixed(1)} an hour), p ${p.toPrecision(2)}`,
    );
  }
  if (heap !== null) {
    console.log(`the heap has ${heap.nodes} nodes; in ${heap.rounds} rounds there came to it:`);
    for (const { kind, nodes, bytes } of heap.more)
      console.log(`  ${kind.padEnd(60)} ${nodes} nodes, ${(bytes / 1024).toFixed(1)} KiB`);
  }
  for (const problem of problems) console.log(`PROBLEM: ${problem}`);
}
process.exitCode = problems.length > 0 ? 1 : 0;
