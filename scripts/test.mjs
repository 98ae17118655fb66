// `npm test`: everything that must hold, in the order in which it fails fastest. Ends with one line over all runners:
// 'N passed, N failed'. Arguments go to vitest, and then only vitest runs.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'ortbench-test-'));
const chosen = process.argv.slice(2);
const totals = { passed: 0, failed: 0, skipped: 0 };

function run(title, command, args, env = {}) {
  console.log(`\n=== ${title}`);
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (error) console.error(error.message);
  return status ?? 1;
}

function check(title, command, args) {
  if (run(title, command, args) === 0) totals.passed++;
  else totals.failed++;
}

/** Adds a runner's own counts; a runner that failed without a failing test (it could not start) counts as one failure. */
function count(status, read) {
  let counted = { passed: 0, failed: 0, skipped: 0 };
  try {
    counted = read();
  } catch (error) {
    console.error(`no result: ${error.message}`);
  }
  if (status !== 0 && counted.failed === 0) counted.failed = 1;
  for (const key of Object.keys(totals)) totals[key] += counted[key];
}

function vitest() {
  const report = join(scratch, 'vitest.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const status = run('vitest', process.execPath, [
    'node_modules/vitest/vitest.mjs',
    'run',
    ...reporters,
    ...chosen,
  ]);
  count(status, () => {
    const json = JSON.parse(readFileSync(report, 'utf8'));
    return { passed: json.numPassedTests, failed: json.numFailedTests, skipped: json.numPendingTests };
  });
}

async function pytest() {
  const { ensurePythonEnvironment } = await import('../dist/python/environment.js');
  const { runnersDir } = await import('../dist/python/locks.js');
  const python = await ensurePythonEnvironment(console.log);
  const report = join(scratch, 'pytest.xml');
  const args = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', `--junitxml=${report}`, runnersDir];
  const status = run('pytest', python, args, { PYTHONPATH: runnersDir, PYTHONDONTWRITEBYTECODE: '1' });
  count(status, () => {
    const suite = /<testsuite [^>]*>/.exec(readFileSync(report, 'utf8'))[0];
    const of = (name) => Number(new RegExp(`${name}="(\\d+)"`).exec(suite)[1]);
    const failed = of('failures') + of('errors');
    return { passed: of('tests') - failed - of('skipped'), failed, skipped: of('skipped') };
  });
}

try {
  if (chosen.length === 0) {
    check('biome', process.execPath, ['node_modules/@biomejs/biome/bin/biome', 'check', '.']);
    check('tsc', process.execPath, ['node_modules/typescript/bin/tsc', '--noEmit']);
    check('tsc, page', process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'assets/report']);
    await pytest();
    // What fails here failed for a seed that is printed, and fails for it again.
    check('fuzz', process.execPath, ['scripts/fuzz.mjs', '--seconds', '20']);
  }
  vitest();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
console.log(`\n${totals.passed} passed, ${totals.failed} failed${skipped}`);
process.exit(totals.failed > 0 ? 1 : 0);
