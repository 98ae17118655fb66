// Measures how far engines that compute the same thing are from the reference, over families, precisions, seeds, prompt
// lengths, uniform and ragged batches, and how far the negative controls of the test suite are; proposes tolerances by
// the rule of docs/parity.md and rewrites the tables of that page. Works on the built dist/.
//   npm run calibrate:parity -- [--json] [--seeds N] [--models a,b] [--lengths 24,256] [--no-controls] [--no-write] [--no-distributions]
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { ENGINES } = await import('../dist/engines/index.js');
const { resolveModel, modelNames } = await import('../dist/models/catalogue.js');
const { prepareArtefact } = await import('../dist/models/prepare.js');
const { RunClock } = await import('../dist/runner/run-clock.js');
const { openSession } = await import('../dist/runner/open-session.js');
const { checkParity } = await import('../dist/runner/parity/check.js');
const { References } = await import('../dist/runner/parity/reference.js');
const { parityShapes } = await import('../dist/runner/parity/shape.js');
const { tolerancesFor } = await import('../dist/runner/parity/tolerance.js');
const { loadRequest } = await import('../dist/runner/sessions.js');
const { sweepSchema } = await import('../dist/schema/sweep.js');
const { PRECISIONS } = await import('../dist/schema/vocabulary.js');
const { default: os } = await import('node:os');

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '3' },
    models: { type: 'string' },
    lengths: { type: 'string', default: '24,200,1000' },
    engines: { type: 'string' },
    precisions: { type: 'string', default: PRECISIONS.join(',') },
    distributions: { type: 'boolean', default: true },
    controls: { type: 'boolean', default: true },
    write: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const log = (line) => process.stderr.write(`${line}\n`);
/** Every family once and more; the tiny models show what width does. */
const models = options.models?.split(',') ?? modelNames().filter((name) => /-(nano|tiny)/.test(name));
const lengths = options.lengths.split(',').map(Number);
const precisions = options.precisions.split(',');
const FIGURES = ['normalisedError', 'systematicError', 'meanKlDivergence'];

const limits = { readySeconds: 300, cellSeconds: 600, closeSeconds: 10 };
const engines = new Map(
  await Promise.all(Object.entries(ENGINES).map(async ([id, load]) => [id, await load()])),
);
const reference = [...engines.values()].find(({ meta }) => meta.reference);
const compared = [...engines.values()].filter(
  ({ meta }) =>
    meta.artefact !== 'none' && (!options.engines || options.engines.split(',').includes(meta.id)),
);

/** The records of one model with other seeds, made by the very check that a sweep makes. */
async function measure(name, seed) {
  const catalogued = await resolveModel(name, root);
  const spec = structuredClone(catalogued.spec);
  if (spec.source.kind !== 'architecture') throw new Error(`${name} has no seeded weights`);
  spec.source.seed = seed;
  const model = await resolveModel(spec, root);
  const scratchDir = await mkdtemp(join(tmpdir(), 'ortbench-calibrate-'));
  const records = [];
  const context = {
    sweep: sweepSchema.parse({
      models: [name],
      engines: ['fake'],
      precisions: ['fp32'],
      batchSizes: [3],
      promptLengths: [1],
      timeLimits: limits,
      seed,
    }),
    threads: 1,
    parity: true,
    engines,
    reference: { engine: reference },
    modelShape: () => model.shape,
    artefact: (_, kind, precision) => prepareArtefact({ model, kind, precision, device: 'cpu' }),
    onEvent: () => {},
    clock: new RunClock(),
    scratchDir,
  };
  try {
    const references = new References(context);
    for (const precision of precisions) {
      for (const engine of compared) {
        if (engine.meta.precisions.cpu?.[precision] !== true) continue;
        const scheduled = (length, spread) => ({
          cell: {
            engine: engine.meta.id,
            model: name,
            precision,
            device: 'cpu',
            batchSize: 3,
            promptLength: { length, spread },
            generate: 16,
          },
          choice: { engine: engine.meta.id, name: engine.meta.id, options: {} },
          hostMiB: 1,
          deviceMiB: null,
        });
        const fitting = lengths.filter((length) => length + 64 <= model.shape.maxContextLength);
        const shapes = fitting.flatMap((length) => [
          ...parityShapes([scheduled(length, 0)], model.shape),
          ...(engine.meta.ragged ? parityShapes([scheduled(length, 0.6)], model.shape) : []),
        ]);
        const cells = fitting.map((length) => scheduled(length, 0));
        try {
          const artefact = await context.artefact(name, engine.meta.artefact, precision);
          const request = loadRequest(cells, shapes, artefact, engine.options.parse({}), 1);
          const session = await openSession(engine, request, engine.meta.isolation, limits);
          try {
            for (const shape of shapes) {
              const record = await checkParity(cells[0], session, references, shape, context);
              if (record.figures === null) throw new Error(record.reason);
              const { modelType: family, activation } = model.shape;
              records.push({ family, activation, seed, ...record });
            }
          } finally {
            await session.close();
          }
          const worst = Math.max(...records.slice(-shapes.length).map((r) => r.figures.normalisedError));
          log(
            `${name} seed ${seed} ${precision} ${engine.meta.id}: ${shapes.length} checks, ${worst.toExponential(1)}`,
          );
        } catch (error) {
          if (error.code !== 'unsupported' && error.code !== 'unavailable') throw error;
          log(`${name} seed ${seed} ${precision} ${engine.meta.id}: left out, ${error.message}`);
        }
      }
    }
  } finally {
    await rm(scratchDir, { recursive: true, force: true });
  }
  return records;
}

const quantile = (values, q) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)];
};
const groupBy = (items, key) =>
  Map.groupBy?.(items, key) ??
  items.reduce((map, item) => {
    const name = key(item);
    map.set(name, [...(map.get(name) ?? []), item]);
    return map;
  }, new Map());

/** The least that a tolerance may be, by the rule of docs/parity.md. */
const propose = (largest) => 2.5 * largest;

async function runControls() {
  const dir = await mkdtemp(join(tmpdir(), 'ortbench-controls-'));
  const file = join(dir, 'controls.json');
  try {
    execFileSync('npx', ['vitest', 'run', 'test/runner/parity/controls.test.ts'], {
      cwd: root,
      env: { ...process.env, ORTBENCH_CONTROLS_JSON: file },
      stdio: ['ignore', 2, 2],
    });
    return JSON.parse(await readFile(file, 'utf8'));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

const records = [];
for (const name of options.distributions ? models : []) {
  for (let seed = 1; seed <= Number(options.seeds); seed++) records.push(...(await measure(name, seed)));
}
const { landed: controls, surveyed } = options.controls ? await runControls() : { landed: [], surveyed: [] };

const short = (value) => (value === 0 ? '0' : value.toExponential(1));
const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const groups = [...groupBy(records, (r) => [r.precision, r.engine, r.family].join('\t'))];
const distribution = table(
  [
    'precision',
    'engine',
    'family',
    'checks',
    ...FIGURES.flatMap((f) => [`${f}: median`, 'largest']),
    'KL worst',
    'top-1 least',
  ],
  groups.map(([key, members]) => {
    const of = (name) => members.map(({ figures }) => figures[name]);
    return [
      ...key.split('\t'),
      members.length,
      ...FIGURES.flatMap((name) => [short(quantile(of(name), 0.5)), short(Math.max(...of(name)))]),
      short(Math.max(...of('klDivergence'))),
      Math.min(...of('top1Agreement')).toFixed(3),
    ];
  }),
);
/** Engines that are held to the same tolerances, together. */
const heldTo = (r) => {
  const coarse = engines.get(r.engine).meta.coarseFp32?.activation === r.activation;
  return `${r.precision}${r.precision === 'fp32' && coarse ? ', coarse' : ''}`;
};
const proposals = Object.fromEntries(
  [...groupBy(records, heldTo)].map(([what, members]) => [
    what,
    Object.fromEntries(
      FIGURES.map((name) => {
        const largest = Math.max(...members.map(({ figures }) => figures[name]));
        const inForce = tolerancesFor(
          engines.get(members[0].engine).meta,
          members[0].precision,
          members[0].activation,
        )[name];
        return [name, { largest, least: propose(largest), inForce }];
      }),
    ),
  ]),
);
const tooTight = Object.values(proposals)
  .flatMap((figures) => Object.values(figures))
  .filter(({ least, inForce }) => inForce < least);
const proposed = table(
  ['precision', 'figure', 'largest seen', 'least tolerance', 'in force'],
  Object.entries(proposals).flatMap(([precision, figures]) =>
    Object.entries(figures).map(([name, { largest, least, inForce }]) => [
      precision,
      name,
      short(largest),
      short(least),
      short(inForce),
    ]),
  ),
);
const controlTable = table(
  [
    'mistake',
    'engine',
    'precision',
    'times over its tolerance',
    'by',
    'normalised error',
    'systematic error',
    'mean KL',
    'caught',
  ],
  controls.map((c) => [
    c.mistake,
    c.engine,
    c.precision,
    c.times.toPrecision(3),
    c.by,
    ...FIGURES.map((name) => (c.figures ? short(c.figures[name]) : '–')),
    c.caught === true ? 'yes' : c.caught || 'no',
  ]),
);

const surveyTable = table(
  ['wrong scales', 'tried', 'caught', 'times over the tolerance: least', 'median', 'most'],
  surveyed.map(({ mistake, tried, found, least, median, most }) => [
    mistake,
    tried,
    found,
    ...[least, median, most].map((times) => times.toPrecision(2)),
  ]),
);

if (options.write) {
  const page = join(root, 'docs/parity.md');
  const cpu = os.cpus()[0]?.model ?? 'unknown processor';
  const seen = `Measured ${new Date().toISOString().slice(0, 10)} on ${cpu}, ${os.platform()} ${os.arch()}: ${records.length} checks of ${models.join(', ')}; ${options.seeds} seed(s) each; prompts of ${lengths.join(' and ')} tokens; batches of 3, uniform and ragged.`;
  const sections = {
    ...(options.distributions ? { measured: `${seen}\n\n${distribution}`, proposed } : {}),
    ...(options.controls ? { controls: controlTable, survey: surveyTable } : {}),
  };
  let text = await readFile(page, 'utf8');
  for (const [name, content] of Object.entries(sections)) {
    const marked = new RegExp(`(<!-- ${name} -->)[\\s\\S]*?(<!-- /${name} -->)`);
    if (!marked.test(text)) throw new Error(`docs/parity.md has no place for ${name}`);
    text = text.replace(marked, (_, begin, end) => `${begin}\n${content}\n${end}`);
  }
  await writeFile(page, text);
}
if (options.json)
  process.stdout.write(`${JSON.stringify({ records, proposals, controls, surveyed }, null, 1)}\n`);
else process.stdout.write(`${distribution}\n\n${proposed}\n\n${controlTable}\n\n${surveyTable}\n`);
if (tooTight.length > 0)
  log(`${tooTight.length} tolerances in force are tighter than 2.5 times what was seen`);
process.exit(tooTight.length > 0 ? 1 : 0);
