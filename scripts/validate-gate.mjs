// `npm run validate:gate`: real gates on this machine. A/A gates of an engine with itself must not find a regression. An
// injected slowdown, the same model with 6, 8 or 10 % more layers, must be found or be inconclusive, and neither phase may be
// called ok. Not 5 %: that is where the gate's own bound for `ok` is wrong once in twenty, by definition.
// --gates N (default 60) A/A gates, --slow N (default 20) injected ones, --json. Ten seconds an A/A gate, three minutes
// an injected one, whose sides are processes of their own: on a quiet machine.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    gates: { type: 'string', default: '60' },
    slow: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
  },
});
const config = fileURLToPath(new URL('../configs/gate-check.yaml', import.meta.url));
const LAYERS = 50;
const SLOWER_LAYERS = [53, 54, 55];
const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'ortbench-gates-'));
const say = (line) => values.json || console.log(line);

/** The config with more layers; its model keeps its name, so that its cells are the same cells. */
function slower(layers) {
  const path = join(scratch, `layers-${layers}.yaml`);
  const text = readFileSync(config, 'utf8');
  const changed = text.replace(`num_hidden_layers: ${LAYERS}`, `num_hidden_layers: ${layers}`);
  if (changed === text) throw new Error(`${config} has no num_hidden_layers: ${LAYERS}`);
  writeFileSync(path, changed);
  return path;
}

function gate(name, target, ...sides) {
  const args = ['compare', target, ...sides, '--json'];
  // Parity of an engine with itself says nothing that the first gate did not.
  const out = ['--no-parity', '--out', join(scratch, name)];
  const run = spawnSync(process.execPath, [cli, ...args, ...out], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (run.signal !== null || ![0, 1, 3, 4].includes(run.status)) {
    console.error(run.stderr);
    throw new Error(`${name} ended with ${run.signal ?? run.status}`);
  }
  const { verdict, rows, smallestFindable } = JSON.parse(run.stdout);
  say(
    `${name}: ${verdict}${smallestFindable === null ? '' : `, +${((smallestFindable - 1) * 100).toFixed(1)} % findable`}`,
  );
  for (const row of rows) if (row.verdict === 'failed') say(`  ${row.id} ${row.phase}: ${row.reason}`);
  const phases = Object.fromEntries(rows.map((row) => [row.phase, row.verdict]));
  return { name, verdict, phases };
}

const count = (text, option) => {
  if (/^\d+$/.test(text)) return Number(text);
  console.error(`error: --${option} ${text}: a whole number`);
  process.exit(2);
};

try {
  const same = Array.from({ length: count(values.gates, 'gates') }, (_, i) =>
    gate(`same-${i + 1}`, config, '--baseline', 'baseline', '--candidate', 'same'),
  );
  const slow = Array.from({ length: count(values.slow, 'slow') }, (_, i) => {
    const layers = SLOWER_LAYERS[i % SLOWER_LAYERS.length];
    const sides = ['--baseline', 'baseline', '--candidate', 'baseline', '--against', config];
    return gate(`slower-${layers}-layers-${i + 1}`, slower(layers), ...sides);
  });
  const falseAlarms = same.filter(({ verdict }) => verdict === 'regression').length;
  // More layers slow both phases alike: neither is sound.
  const missed = slow.filter(({ phases }) => Object.values(phases).includes('ok')).length;
  const failed = [...same, ...slow].filter(({ verdict }) => verdict === 'failed').length;
  // A gate that turns red for either phase has found it.
  const found = slow.filter(({ verdict }) => verdict === 'regression').length;
  const inconclusive = same.filter(({ verdict }) => verdict === 'inconclusive').length;
  const holds = falseAlarms === 0 && missed === 0 && failed === 0;
  const figures = {
    gates: same.length,
    falseAlarms,
    inconclusive,
    slow: slow.length,
    found,
    missed,
    failed,
    holds,
  };
  if (values.json) console.log(JSON.stringify({ ...figures, results: [...same, ...slow] }, null, 2));
  say(
    `${falseAlarms} false alarms in ${same.length} A/A gates (${inconclusive} inconclusive); of ${slow.length} injected slowdowns ` +
      `${found} found, ${missed} called ok; ${failed} gates failed`,
  );
  process.exitCode = holds ? 0 : 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
