// `npm run bench:tuning`: which options of an engine are the fastest here? Runs the sweeps of configs/tuning, each variant
// against the engine's defaults in paired rounds, and prints one line a variant, precision and phase. Each sweep is run
// several times (`--sittings N`), for a process has luck with its memory for life: eight rounds in one sitting were seen to
// say "5 % faster, certainly" of options that do nothing.
// `-- --only onnxruntime,pytorch`, `--table RESULTS` (repeatable: no run, the table from stored results), `--write` puts the
// table into docs/tuning.md; sections of sweeps that were not run stay as they are.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeSections } from './sections.mjs';

const { geometricMean, geometricMeanInterval } = await import('../dist/stats/geometric-mean.js');
const { readResults } = await import('../dist/results/reader.js');
const { gather } = await import('../dist/report/gather.js');
const { describeHardware, describeVersions } = await import('../dist/report/describe.js');
const { escapeMarkdown, table } = await import('../dist/report/markdown.js');

const root = fileURLToPath(new URL('..', import.meta.url));
const configs = join(root, 'configs/tuning');
const PAGE = join(root, 'docs/tuning.md');
const known = readdirSync(configs).map((name) => basename(name, '.yaml'));

const { values } = parseArgs({
  options: {
    sittings: { type: 'string', default: '6' },
    only: { type: 'string', default: known.join(',') },
    table: { type: 'string', multiple: true },
    write: { type: 'boolean', default: false },
  },
});

const sittings = Number(values.sittings);
if (!(Number.isInteger(sittings) && sittings > 0)) {
  console.error(`--sittings ${values.sittings}: a whole number from 1 on; intervals need six`);
  process.exit(2);
}

const folders =
  values.table ?? names().flatMap((name) => Array.from({ length: sittings }, () => sweep(name)));
const byTitle = new Map();
for (const folder of folders) {
  const report = gather([await readResults(folder)]);
  const { title } = report.manifest;
  byTitle.set(title, [...(byTitle.get(title) ?? []), report]);
}
const sections = [...byTitle].map(([title, reports]) => section(title, reports));
console.log(sections.join('\n\n'));
if (values.write) writeSections(PAGE, 'measured', sections);

function names() {
  const asked = values.only.split(',');
  for (const name of asked) {
    if (known.includes(name)) continue;
    console.error(`--only ${name}: there is no such sweep; known are ${known.join(', ')}`);
    process.exit(2);
  }
  return asked;
}

function sweep(name) {
  const out = resolve('results', `tuning-${name}-${new Date().toISOString().replaceAll(/[:.]/g, '')}`);
  const args = [join(root, 'dist/cli.js'), 'sweep', join(configs, `${name}.yaml`), '--out', out];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  // A variant that failed is a line without a figure.
  if (status !== 0 && status !== 4) process.exit(status ?? 1);
  return out;
}

/** A sitting's average is one observation: rounds of one sitting share the luck of its processes. */
function section(title, reports) {
  const { manifest, rows } = reports[0];
  const byVariant = new Map();
  for (const [sitting, { averages }] of reports.entries()) {
    for (const row of averages) {
      const key = `${row.engineTitle}\t${row.precision}\t${row.phase}`;
      const known = byVariant.get(key) ?? { ...row, logRatios: new Map(), speedups: [], reasons: new Set() };
      if (row.average !== null) known.logRatios.set(sitting, Math.log(row.average));
      known.speedups.push(...row.compared.map(({ speedup }) => speedup));
      for (const reason of row.reasons) known.reasons.add(reason);
      byVariant.set(key, known);
    }
  }
  const lines = [...byVariant.values()].map(
    ({ engineTitle, precision, phase, logRatios, speedups, reasons }) => {
      const interval = geometricMeanInterval([logRatios]);
      return [
        escapeMarkdown(engineTitle),
        precision,
        phase,
        logRatios.size === 0
          ? escapeMarkdown([...reasons].join('; '))
          : ratio(geometricMean([...logRatios.values()].map(Math.exp))),
        interval === null ? '' : `${ratio(interval[0])}–${ratio(interval[1])}`,
        speedups.length === 0 ? '' : `${ratio(Math.min(...speedups))}–${ratio(Math.max(...speedups))}`,
        `${logRatios.size} of ${reports.length}`,
      ];
    },
  );
  const head = [
    'variant',
    'weights',
    'phase',
    'against the defaults',
    '95 %',
    'lowest and highest cell',
    'sittings',
  ];
  const models = manifest.models.map((model) => escapeMarkdown(model.title)).join(', ');
  return [
    `### ${escapeMarkdown(title)}`,
    `Measured on ${manifest.createdAt.slice(0, 10)}: ${escapeMarkdown(describeHardware(manifest))}; ${models}; ${reports.length} sittings of ${manifest.repetitions} rounds; ${escapeMarkdown(versionsOf(rows))}.`,
    table(head, lines),
  ].join('\n\n');
}

/** Variants of one engine are of the same versions, which need not be said for each. */
function versionsOf(rows) {
  const [first] = rows;
  return describeVersions(rows.filter(({ cell }) => cell.engine === first.cell.engine));
}

function ratio(value) {
  return value.toFixed(3);
}
