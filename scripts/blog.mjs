// Runs the suites of configs/blog one after the other and prints, for every system, what was published beside what was
// measured. Works on the built dist/. See docs/blog.md.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { parse, stringify } from 'yaml';
import { sectionsOf, writeSections } from './sections.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const suites = join(root, 'configs', 'blog');
const PAGE = join(root, 'docs', 'blog.md');

const known = (await readdir(suites))
  .filter((name) => name.endsWith('.yaml') && name !== 'published.yaml')
  .map((name) => name.replace(/\.yaml$/, ''));

const { values } = parseArgs({
  options: {
    systems: { type: 'string', default: known.join(',') },
    layers: { type: 'string' },
    device: { type: 'string', default: 'cpu' },
    engines: { type: 'string' },
    'batch-sizes': { type: 'string' },
    prompts: { type: 'string' },
    generate: { type: 'string' },
    rounds: { type: 'string' },
    'max-hours': { type: 'string' },
    keep: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    table: { type: 'string', multiple: true },
    help: { type: 'boolean', default: false },
  },
});

const HELP = `npm run blog -- [options]
  --systems a,b       of ${known.join(', ')} (default: all)
  --layers N          the first N layers of each model, with seeded weights (default: all, from the hub)
  --device NAME       cpu (default), cuda
  --engines a,b       instead of the suite's
  --batch-sizes 1,4   instead of the suite's; likewise --prompts, --generate, --rounds
  --max-hours H       of each system: the plan leaves out the rest, with the reason
  --keep              keep the model files in the cache (they are removed after each system)
  --table DIR         no run: the table from stored results (repeatable)
  --write             put the table into docs/blog.md; systems that were not run keep their figures
`;

/** A problem of the user's, without a stack. */
function stop(message) {
  console.error(`error: ${message}\n\n${HELP}`);
  process.exit(2);
}

/** A model at another depth takes the place of the one before. */
const withoutDepth = (heading) => heading.replace(/, \d+ of \d+ layers$/, '');

const numbers = (text) => text.split(',').map(Number);

/** The sweep stays beside its results, whose records name its rules by file and line. */
async function configOf(system, file) {
  const suite = parse(await readFile(join(suites, `${system}.yaml`), 'utf8'));
  suite.published = relative(dirname(file), join(suites, suite.published));
  if (values.engines !== undefined) {
    suite.engines = values.engines.split(',');
    suite.baselines = suite.baselines.filter(({ engine }) => suite.engines.includes(engine));
  }
  if (values['batch-sizes'] !== undefined) suite.batchSizes = numbers(values['batch-sizes']);
  if (values.prompts !== undefined) suite.promptLengths = numbers(values.prompts);
  if (values.generate !== undefined) suite.generate = Number(values.generate);
  if (values.rounds !== undefined) suite.repetitions = Number(values.rounds);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, stringify(suite));
}

/** Names start with the model's, so that nothing of another model goes. */
async function removeArtefacts(models) {
  const { cacheRoot } = await import('../dist/files/cache-root.js');
  const artefacts = join(cacheRoot(), 'artefacts');
  for (const name of await readdir(artefacts)) {
    if (
      models.some(
        (model) => /^-(checkpoint|onnx|gguf)-/.test(name.slice(model.length)) && name.startsWith(model),
      )
    )
      await rm(join(artefacts, name), { recursive: true, force: true });
  }
}

async function sweep(system) {
  const out = join('results', `blog-${system}-${new Date().toISOString().replaceAll(/[:.]/g, '')}`);
  await configOf(system, `${out}.yaml`);
  const options = ['--device', values.device, '--out', out];
  if (values.layers !== undefined) options.push('--layers', values.layers);
  if (values['max-hours'] !== undefined) options.push('--max-hours', values['max-hours']);
  console.error(`\n== ${system}`);
  const { exitCode } = await execa(
    process.execPath,
    [join(root, 'dist', 'cli.js'), 'sweep', `${out}.yaml`, ...options],
    { stdio: 'inherit', reject: false },
  );
  // Exit code 4 leaves results behind: a cell failed, which the table says.
  if (exitCode !== 0 && exitCode !== 4) process.exit(exitCode ?? 1);
  return out;
}

async function tableOf(folders) {
  const { readResults } = await import('../dist/results/reader.js');
  const { summarise } = await import('../dist/report/summary.js');
  const { publishedPage } = await import('../dist/report/published/page.js');
  const reports = [];
  for (const folder of folders) reports.push(summarise(await readResults(folder)));
  return publishedPage(reports);
}

if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const systems = values.systems.split(',');
const stranger = systems.find((name) => !known.includes(name));
if (stranger !== undefined) stop(`--systems ${stranger}: there is no suite of that name`);

let folders = values.table;
if (folders === undefined) {
  folders = [];
  for (const system of systems) {
    const out = await sweep(system);
    folders.push(out);
    if (values.keep) continue;
    const manifest = JSON.parse(await readFile(join(out, 'manifest.json'), 'utf8'));
    await removeArtefacts(manifest.models.map(({ name }) => name));
  }
}
const table = await tableOf(folders);
console.log(table);
if (values.write) writeSections(PAGE, 'figures', sectionsOf(table), withoutDepth);
