import { readdirSync, readFileSync } from 'node:fs';
import Ajv from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { jsonSchemaFiles } from '../../src/config/json-schemas.ts';
import { parseYaml } from '../../src/config/yaml.ts';
import { sweepSchema } from '../../src/schema/sweep.ts';

const files = await jsonSchemaFiles();
const compile = (path: string) =>
  new Ajv.default({ allowUnionTypes: true }).compile(JSON.parse(files[path]!));
const sweep = compile('configs/sweep.schema.json');
const quickstart = readFileSync('configs/quickstart.yaml', 'utf8');

it.each(Object.keys(files))('%s is up to date (npm run generate)', (path) => {
  expect(readFileSync(path, 'utf8')).toBe(files[path]);
});

describe('the sweep schema', () => {
  it('accepts the quickstart, as the zod schema does', () => {
    expect(sweep(parse(quickstart)), JSON.stringify(sweep.errors)).toBe(true);
    expect(() => parseYaml(quickstart, 'quickstart.yaml', sweepSchema)).not.toThrow();
  });

  it.each([
    ['an unknown key', 'promptLenghts: [1]'],
    ['a wrong type', 'generate: many'],
    ['an unknown precision', 'baselines: [{engine: fake, precision: fp31}]'],
    ['an unknown engine', 'engineOptions: {onnx: {}}'],
    ['an unknown option of an engine', 'engineOptions: {fake: {loadMillis: 3}}'],
  ])('rejects %s', (_name, line) => {
    expect(sweep({ ...parse(quickstart), ...parse(line) })).toBe(false);
  });

  it('knows the engines to complete', () => {
    expect(sweep({ ...parse(quickstart), engines: ['onnx'] })).toBe(false);
    expect(sweep({ ...parse(quickstart), engines: [{ engine: 'fake', options: {} }] })).toBe(true);
  });
});

it('the model schema accepts every model there is', () => {
  const model = compile('configs/model.schema.json');
  const names = readdirSync('configs/models').filter((name) => name.endsWith('.yaml'));
  expect(names).toContain('llama-tiny.yaml');
  for (const name of names) {
    const valid = model(parse(readFileSync(`configs/models/${name}`, 'utf8')));
    expect(valid, `${name}: ${JSON.stringify(model.errors)}`).toBe(true);
  }
  expect(model({ name: 'x', source: { kind: 'hub', id: 'a/b', revision: 'main' } })).toBe(false);
});

it('the protocol schema tells commands from replies and from garbage', () => {
  const protocol = compile('runners/protocol.schema.json');
  expect(protocol({ type: 'hello', id: 0, protocol: 1 })).toBe(true);
  expect(protocol({ type: 'prepared', id: 1, compileNs: 0, effective: {} })).toBe(true);
  expect(protocol({ type: 'prepared', id: 1, compileNs: -1, effective: {} })).toBe(false);
  expect(protocol({ type: 'nonsense', id: 0 })).toBe(false);
});
