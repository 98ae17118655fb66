// `npm run bench:tuning`: which options of an engine are the fastest here? Runs the sweeps of configs/tuning, each variant
// against the engine's defaults in paired rounds, and prints one line a variant, precision and phase.
// `-- --only onnxruntime,pytorch`, `--table RESULTS` (repeatable: no run, the table from stored results), `--write` puts the
// table into docs/tuning.md.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { readResults } = await import('../dist/results/reader.js');
const { gather } = await import('../dist/report/gather.js');
const { describeHardware, describeVersions } = await import('../dist/report/describe.js');
const { escapeMarkdown, table } = await import('../dist/report/markdown.js');

const root = fileURLToPath(new URL('..', import.meta.url));
const configs = join(root, 'configs/tuning');
const PAGE = join(root, 'docs/tuning.md');
const MARKED = /(<!-- measured -->)[\s\S]*?(<!-- \/measured -->)/;
const known = readdirSync(configs).map((name) => basename(name, '.yaml'));

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: known.join(',') },
    table: { type: 'string', multiple: true },
    write: { type: 'boolean', default: false },
  },
});

const folders = values.table ?? values.only.split(',').map(sweep);
const sections = [];
for (const folder of folders) sections.push(section(gather([await readResults(folder)])));
const text = sections.join('\n\n');
console.log(text);
if (values.write) {
  const page = readFileSync(PAGE, 'utf8');
  writeFileSync(
    PAGE,
    page.replace(MARKED, (_, begin, end) => `${begin}\n\n${text}\n\n${end}`),
  );
}

function sweep(name) {
  if (!known.includes(name)) {
    console.error(`--only ${name}: there is no such sweep; known are ${known.join(', ')}`);
    process.exit(2);
  }
  const out = resolve('results', `tuning-${name}-${new Date().toISOString().replaceAll(/[:.]/g, '')}`);
  const args = [join(root, 'dist/cli.js'), 'sweep', join(configs, `${name}.yaml`), '--out', out];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  // A variant that failed is a line without a figure.
  if (status !== 0 && status !== 4) process.exit(status ?? 1);
  return out;
}

function section({ manifest, averages, rows }) {
  const lines = averages.map(
    ({ engineTitle, precision, phase, average, interval, lowest, highest, compared, cells, reasons }) => [
      escapeMarkdown(engineTitle),
      precision,
      phase,
      average === null ? escapeMarkdown(reasons.join('; ')) : ratio(average),
      interval === null ? '' : `${ratio(interval[0])}–${ratio(interval[1])}`,
      lowest === null ? '' : `${ratio(lowest.speedup)}–${ratio(highest.speedup)}`,
      `${compared.length} of ${cells}`,
    ],
  );
  const head = [
    'variant',
    'weights',
    'phase',
    'against the defaults',
    '95 %',
    'lowest and highest cell',
    'cells',
  ];
  return [
    `### ${escapeMarkdown(manifest.title)}`,
    `Measured on ${manifest.createdAt.slice(0, 10)}: ${escapeMarkdown(describeHardware(manifest))}; ${manifest.models.map(({ title }) => escapeMarkdown(title)).join(', ')}; ${manifest.repetitions} rounds; ${escapeMarkdown(describeVersions(rows))}.`,
    table(head, lines),
  ].join('\n\n');
}

function ratio(value) {
  return value.toFixed(3);
}
