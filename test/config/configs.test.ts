import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import Ajv from 'ajv/dist/2020.js';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { jsonSchemaFiles } from '../../src/config/json-schemas.ts';
import { loadSweep } from '../../src/config/load.ts';
import { packageRoot } from '../../src/files/package-root.ts';
import { resolveModel } from '../../src/models/catalogue.ts';

const schemas = await jsonSchemaFiles();
const compile = (path: string) =>
  new Ajv.default({ allowUnionTypes: true }).compile(JSON.parse(schemas[path]!));
const sweepValidator = compile('configs/sweep.schema.json');
const modelValidator = compile('configs/model.schema.json');

/** Below configs/, with forward slashes. fidelity.yaml declares comparisons of drivers and has no published schema. */
const files = readdirSync(join(packageRoot, 'configs'), { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.yaml') && file !== 'fidelity.yaml')
  .sort();
const models = files.filter((file) => file.startsWith('models/'));
const textOf = (file: string) => readFileSync(join(packageRoot, 'configs', file), 'utf8');
const sweeps = files.filter((file) => !models.includes(file) && 'engines' in (parse(textOf(file)) as object));

const folder = mkdtempSync(join(tmpdir(), 'ortbench-configs-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(sweeps)('configs/%s', (file) => {
  it('is a sweep to the loader and to a JSON Schema validator', async () => {
    expect(sweepValidator(parse(textOf(file))), JSON.stringify(sweepValidator.errors)).toBe(true);
    await expect(loadSweep(join(packageRoot, 'configs', file))).resolves.toBeDefined();
  });

  it('names the schema for editors in its first line', () => {
    expectSchemaLine(file, 'sweep.schema.json');
  });
});

describe.each(models)('configs/%s', (file) => {
  it('is a model to the catalogue and to a JSON Schema validator', async () => {
    expect(modelValidator(parse(textOf(file))), JSON.stringify(modelValidator.errors)).toBe(true);
    await expect(resolveModel(join(packageRoot, 'configs', file), packageRoot)).resolves.toBeDefined();
  });

  it('names the schema for editors in its first line', () => {
    expectSchemaLine(file, 'model.schema.json');
  });
});

function expectSchemaLine(file: string, schema: string): void {
  const line = textOf(file).split('\n', 1)[0]!;
  const named = /^# yaml-language-server: \$schema=(\S+)$/.exec(line)?.[1];
  expect(named, line).toBeDefined();
  const target = resolve(dirname(join(packageRoot, 'configs', file)), named!);
  expect(relative(join(packageRoot, 'configs'), target)).toBe(schema);
}

const GOOD =
  'models: [llama-nano]\nengines: [fake]\nprecisions: [fp32]\nbatchSizes: [1]\npromptLengths: [8]\ngenerate: 4\n';

/** What a JSON Schema can say: on these an editor and the loader agree. */
describe('editor and loader agree', () => {
  it.each<[string, boolean, string]>([
    ['the least', true, GOOD],
    ['every kind of prompt', true, GOOD.replace('[8]', '[8, { length: 16, spread: 0.5 }]')],
    ['a variant', true, GOOD.replace('[fake]', '[fake, { engine: fake, name: other, options: {} }]')],
    ['rules', true, `${GOOD}include:\n  - { engine: fake, batchSize: [1] }\n`],
    ['baselines', true, `${GOOD}baselines: [{ engine: fake, precision: fp32 }]\n`],
    ['limits', true, `${GOOD}timeLimits: { cellSeconds: 5 }\nwarmup: { runs: 0 }\n`],
    ['no models', false, GOOD.replace('models: [llama-nano]\n', '')],
    ['an empty list', false, GOOD.replace('[llama-nano]', '[]')],
    ['an unknown key', false, `${GOOD}batchSize: [1]\n`],
    ['an unknown engine', false, GOOD.replace('[fake]', '[fakee]')],
    ['an unknown engine of a variant', false, GOOD.replace('[fake]', '[{ engine: fakee }]')],
    ['an unknown precision', false, GOOD.replace('fp32', 'fp31')],
    ['a precision of a baseline', false, `${GOOD}baselines: [{ engine: fake, precision: fp31 }]\n`],
    ['a batch of none', false, GOOD.replace('batchSizes: [1]', 'batchSizes: [0]')],
    ['half a batch', false, GOOD.replace('batchSizes: [1]', 'batchSizes: [1.5]')],
    ['a text for a number', false, GOOD.replace('generate: 4', 'generate: four')],
    ['one token', false, GOOD.replace('generate: 4', 'generate: 1')],
    ['a spread of all', false, GOOD.replace('[8]', '[{ length: 8, spread: 1 }]')],
    ['an unknown device', false, `${GOOD}device: gpu\n`],
    ['an unknown option', false, `${GOOD}engineOptions: { fake: { nonsense: 1 } }\n`],
    ['options of an unknown engine', false, `${GOOD}engineOptions: { fakee: {} }\n`],
    ['no mapping', false, '- models\n'],
    ['seeds below zero', false, `${GOOD}seed: -1\n`],
    ['a name with blanks', false, GOOD.replace('[fake]', '[{ engine: fake, name: a b }]')],
  ])('on %s', async (name, good, text) => {
    const file = join(folder, `${name.replace(/\W/g, '-')}.yaml`);
    writeFileSync(file, text);
    const loaded = await loadSweep(file).then(
      () => true,
      (error: Error) => {
        if (error.name !== 'UserError') throw error;
        return false;
      },
    );
    expect({ editor: sweepValidator(parse(text)), loader: loaded }).toEqual({ editor: good, loader: good });
  });
});
