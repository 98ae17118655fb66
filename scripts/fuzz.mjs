// `npm run fuzz -- --seconds N --seed S`: what a runner sends, what lies in a results folder and what a user writes, with
// bytes and JSON values changed, against the readers of dist/. A reader may answer or refuse in its own words; it may not
// throw anything else, take long, or touch what every object inherits. Every input has a seed of its own: a failure
// prints the command that repeats it. `--target NAME` takes one reader, `--inputs N` so many inputs.
import { randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pick, seeded } from '../test/corpus/random.mjs';
import { makeTargets } from './fuzz/targets.mjs';

/** Of processor time for one input: all of them are small. */
const MOST_MS = 2000;
const LARGEST_SEED = 2 ** 31 - 1;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    inputs: { type: 'string' },
    target: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const first = Number(values.seed ?? randomInt(LARGEST_SEED));
const most = Number(values.inputs ?? Number.MAX_SAFE_INTEGER);
const until = performance.now() + Number(values.seconds) * 1000;
if (!Number.isSafeInteger(first) || !(most > 0) || Number.isNaN(until)) {
  console.error('--seed, --inputs and --seconds are numbers');
  process.exit(2);
}

const scratch = mkdtempSync(join(tmpdir(), 'ortbench-fuzz-'));
const all = await makeTargets(scratch);
const targets = values.target === undefined ? Object.entries(all) : [[values.target, all[values.target]]];
if (targets.some(([, target]) => target === undefined)) {
  console.error(`--target is one of ${Object.keys(all).join(', ')}`);
  process.exit(2);
}

const counts = Object.fromEntries(targets.map(([name]) => [name, { inputs: 0, accepted: 0 }]));
let failure = null;
console.error(`seed ${first}`);
try {
  for (let i = 0; i < most && failure === null && performance.now() < until; i++) {
    const seed = (first + i) % LARGEST_SEED;
    const random = seeded(seed);
    const [name, target] = pick(random, targets);
    const bytes = target.make(random);
    const before = process.cpuUsage();
    try {
      counts[name].inputs++;
      if (await target.read(bytes)) counts[name].accepted++;
      if ('polluted' in {}) throw new Error('it wrote to Object.prototype');
      const { user, system } = process.cpuUsage(before);
      if ((user + system) / 1000 > MOST_MS) throw new Error(`it took ${(user + system) / 1000} ms`);
    } catch (error) {
      failure = { seed, name, bytes, error };
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
if (values.json) console.log(JSON.stringify({ seed: first, counts, failed: failure !== null }));
else {
  for (const [name, { inputs, accepted }] of Object.entries(counts))
    console.log(`${name}: ${inputs} inputs, ${accepted} accepted, the others refused`);
}
if (failure !== null) {
  const { seed, name, bytes, error } = failure;
  const kept = mkdtempSync(join(tmpdir(), 'ortbench-fuzz-failure-'));
  mkdirSync(kept, { recursive: true });
  writeFileSync(join(kept, 'input'), bytes);
  console.error(
    `\n${name} failed on ${join(kept, 'input')} (${readFileSync(join(kept, 'input')).length} bytes):`,
  );
  console.error(error);
  const only = values.target === undefined ? '' : ` --target ${values.target}`;
  console.error(`repeat it with: npm run fuzz -- --seed ${seed} --inputs 1${only}`);
  process.exit(1);
}
