// `npm run calibrate:parity`: how far engines that compute the same thing are from the reference, over models, precisions,
// seeds, prompt lengths, uniform and ragged batches, and how far the negative controls of the test suite are. Proposes
// tolerances by the rule of docs/parity.md and rewrites the tables of that page. Takes an hour or more.
//   --models a,b --engines a,b --precisions a,b --lengths 24,200,700 --seeds 1,2,3
//   --records FILE   keeps every record there at once, and measures nothing again that it holds
//   --page FILE      whose tables are rewritten instead of docs/parity.md's
//   --no-measure     only what --records holds
//   --json, --no-controls, --no-write
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { propose, ROOM } from './calibrate/figures.mjs';
import { measure, recordKey } from './calibrate/measure.mjs';
import { appendRecords, readRecords, writeTables } from './calibrate/store.mjs';
import * as tables from './calibrate/tables.mjs';

const { ENGINES } = await import('../dist/engines/index.js');
const { describeFailure } = await import('../dist/failure.js');
const { modelNames, resolveModel } = await import('../dist/models/catalogue.js');
const { PRECISIONS } = await import('../dist/schema/vocabulary.js');

const root = fileURLToPath(new URL('..', import.meta.url));
const log = (line) => process.stderr.write(`${line}\n`);
const engines = new Map(
  await Promise.all(Object.entries(ENGINES).map(async ([id, load]) => [id, await load()])),
);
const comparable = [...engines.values()].filter(({ meta }) => meta.artefact !== 'none');

const { values: options } = parseArgs({
  options: {
    models: { type: 'string' },
    engines: { type: 'string' },
    precisions: { type: 'string' },
    lengths: { type: 'string', default: '24,200,700' },
    seeds: { type: 'string', default: '1,2,3' },
    records: { type: 'string' },
    json: { type: 'boolean', default: false },
    measure: { type: 'boolean', default: true },
    controls: { type: 'boolean', default: true },
    page: { type: 'string', default: join(root, 'docs/parity.md') },
    write: { type: 'boolean', default: true },
  },
  allowNegative: true,
});

function refuse(message) {
  log(`error: ${message}`);
  process.exit(2);
}
function listed(option, known, all = known) {
  const chosen = options[option]?.split(',') ?? all;
  const unknown = chosen.find((name) => !known.includes(name));
  if (unknown !== undefined) refuse(`--${option} ${unknown}: expected some of ${known.join(', ')}`);
  return chosen;
}
function counts(option) {
  const numbers = options[option].split(',').map(Number);
  if (numbers.some((number) => !Number.isInteger(number) || number < 1))
    refuse(`--${option} ${options[option]}: expected whole numbers from 1`);
  return numbers;
}

const nano = modelNames().filter((name) => name.includes('-nano'));
const models = listed('models', modelNames(), [...nano, 'llama-tiny']);
const precisions = listed('precisions', PRECISIONS);
const ids = listed(
  'engines',
  comparable.map(({ meta }) => meta.id),
);
const lengths = counts('lengths');
const seeds = counts('seeds');

/** Compiling takes longer than all else: an engine that does has one seed and one length, unless it was asked for. */
function lengthsFor({ meta }, seed) {
  if (!meta.compiles || options.engines !== undefined) return lengths;
  return seed === 1 ? [lengths[Math.floor(lengths.length / 2)]] : [];
}

async function measureAll() {
  const records = options.records === undefined ? [] : await readRecords(options.records);
  if (!options.measure) return records;
  const known = new Set(records.map(recordKey));
  const setting = {
    precisions,
    engines: comparable.filter(({ meta }) => ids.includes(meta.id)),
    reference: comparable.find(({ meta }) => meta.reference),
    lengthsFor,
    known,
    log,
    async keep(made) {
      records.push(...made);
      if (options.records !== undefined) await appendRecords(options.records, made);
    },
  };
  for (const seed of seeds) {
    for (const name of models) await measure({ name, seed, ...setting });
  }
  return records;
}

async function shapesOf(records) {
  const names = [...new Set(records.map(({ model }) => model))];
  return new Map(await Promise.all(names.map(async (name) => [name, (await resolveModel(name, '.')).shape])));
}

async function runControls() {
  const dir = await mkdtemp(join(tmpdir(), 'ortbench-controls-'));
  const [controls, survey] = [join(dir, 'controls.json'), join(dir, 'survey.json')];
  try {
    const tests = ['controls', 'survey'].map((name) => `test/runner/parity/${name}.test.ts`);
    execFileSync('npx', ['vitest', 'run', ...tests], {
      cwd: root,
      env: { ...process.env, ORTBENCH_CONTROLS_JSON: controls, ORTBENCH_SURVEY_JSON: survey },
      stdio: ['ignore', 2, 2],
    });
    return [JSON.parse(await readFile(controls, 'utf8')), JSON.parse(await readFile(survey, 'utf8'))];
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function describe(records) {
  const all = (of) => [...new Set(records.map(of))];
  const cpu = os.cpus()[0]?.model ?? 'unknown processor';
  return (
    `Measured until ${new Date().toISOString().slice(0, 10)} on ${cpu}, ${os.platform()} ${os.arch()}: ` +
    `${records.length} checks of ${all(({ model }) => model).join(', ')}; weights and prompts of up to ` +
    `${all(({ seed }) => seed).length} seeds; prompts of ${lengths.join(', ')} tokens, uniform and ragged, in batches of 3.`
  );
}

try {
  const order = (record) => PRECISIONS.indexOf(record.precision) * 100 + ids.indexOf(record.engine);
  const records = (await measureAll()).sort((a, b) => order(a) - order(b));
  if (records.length === 0) refuse('there are no records');
  const proposals = propose(records, engines, await shapesOf(records));
  const sections = {
    families: tables.familyTable(records),
    measured: `${describe(records)}\n\n${tables.distributionTable(records)}`,
    proposed: tables.proposalTable(proposals),
  };
  const [controls, surveyed] = options.controls ? await runControls() : [];
  if (controls !== undefined) {
    sections.controls = `${tables.controlSummary(controls)}\n\n${tables.controlTable(controls)}`;
    sections.survey = tables.surveyTable(surveyed);
  }
  if (options.write) await writeTables(options.page, sections);
  const result = { records, proposals, controls, surveyed };
  process.stdout.write(
    options.json ? `${JSON.stringify(result, null, 1)}\n` : `${Object.values(sections).join('\n\n')}\n`,
  );
  const tight = proposals.filter(({ least, inForce }) => inForce < least);
  for (const { heldTo, figure, inForce, least } of tight)
    log(
      `${heldTo}: ${figure} ${inForce} in force is below ${ROOM} times what was seen (${least.toPrecision(2)})`,
    );
  process.exitCode = tight.length > 0 ? 1 : 0;
} catch (error) {
  const { text, exitCode } = describeFailure(error, process.env.DEBUG === 'ortbench');
  process.stderr.write(text);
  process.exitCode = exitCode;
}
