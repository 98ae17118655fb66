// `npm run test:faults`: the fault suite, which is test/faults/ and every other test file that docs/faults.md names.
// `--repeat N` runs it N times and ends at the first failure. A run strikes at one file operation in nine, and the next run
// at the ones after them, so that nine strike at all; `--every` strikes at all in one run. `--quick` leaves out the files
// that docs/faults.md names beside test/faults/. Other arguments go to vitest.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals } = parseArgs({
  options: {
    repeat: { type: 'string', default: '1' },
    every: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const repeat = Number(values.repeat);
if (!Number.isInteger(repeat) || repeat < 1) {
  console.error(`--repeat ${values.repeat}: a whole number from 1 on`);
  process.exit(2);
}
const page = readFileSync(new URL('../docs/faults.md', import.meta.url), 'utf8');
const named = [...page.matchAll(/`(test\/[\w./-]+\.test\.ts)`/g)].map((match) => match[1]);
const files = [...new Set(['test/faults/', ...(values.quick ? [] : named)])].filter(
  (file, _, all) => file === 'test/faults/' || !all.includes(`${file.split('/').slice(0, 2).join('/')}/`),
);
// As in test/faults/01-04-store.test.ts, which says so in the titles of its tests.
const first = Number(process.env.ORTBENCH_TEST_OFFSET ?? Math.floor(Date.now() / 86_400_000));
const times = [];
for (let run = 1; run <= repeat; run++) {
  const started = process.hrtime.bigint();
  const offset = String(first + run - 1);
  const env = {
    ...process.env,
    ORTBENCH_TEST_OFFSET: offset,
    ...(values.every ? { ORTBENCH_TEST_STRIDE: '1' } : {}),
  };
  console.log(`run ${run} of ${repeat}; the same again: ORTBENCH_TEST_OFFSET=${offset}`);
  const args = ['node_modules/vitest/vitest.mjs', 'run', ...(positionals.length > 0 ? positionals : files)];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env });
  times.push(Number(process.hrtime.bigint() - started) / 1e9);
  if (status !== 0) {
    console.error(`run ${run} of ${repeat} failed`);
    process.exit(status ?? 1);
  }
}
const longest = Math.max(...times);
console.log(`${repeat} of ${repeat} runs passed; the longest took ${longest.toFixed(0)} s`);
