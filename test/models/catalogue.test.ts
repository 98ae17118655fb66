import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { modelNames, resolveModel } from '../../src/models/catalogue.ts';
import type { ModelSpec } from '../../src/schema/model.ts';

const REVISION = '0123456789abcdef0123456789abcdef01234567';
const config = {
  model_type: 'llama',
  vocab_size: 512,
  hidden_size: 128,
  intermediate_size: 256,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 2048,
};

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ortbench-catalogue-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function fault(promise: Promise<unknown>): Promise<UserError> {
  const error = await promise.then(
    () => expect.unreachable('expected a UserError'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

async function yamlFile(name: string, text: string): Promise<string> {
  await writeFile(join(dir, name), text);
  return name;
}

async function modelFolder(name: string, files: Record<string, string>): Promise<ModelSpec> {
  await mkdir(join(dir, name));
  for (const [file, content] of Object.entries(files)) await writeFile(join(dir, name, file), content);
  return { name: 'local', source: { kind: 'folder', path: name } };
}

describe('the models in configs/models', () => {
  it.each(modelNames())('%s resolves, under its own name, from any working folder', async (name) => {
    const model = await resolveModel(name, '/nowhere');
    expect(model.spec.name).toBe(name);
    expect(model.spec.title).toBeTruthy();
    expect(model.shape.maxContextLength).toBeGreaterThanOrEqual(512 + 256);
  });

  it('have the sizes that the quickstart and the tests count on', async () => {
    const tiny = await resolveModel('llama-tiny', '.');
    expect(tiny.shape.parameters).toBeGreaterThan(30e6);
    expect(tiny.origin).toBe('seeded random weights (seed 1)');
    expect((await resolveModel('phi-tiny', '.')).shape.parameters).toBeGreaterThan(30e6);
    expect((await resolveModel('llama-nano', '.')).shape.parameters).toBeLessThan(1e6);
  });

  it.each(modelNames())('%s can be quantised and built by the ONNX model builder', async (name) => {
    const { shape } = await resolveModel(name, '.');
    for (const rowLength of [shape.hiddenSize, shape.intermediateSize, shape.heads * shape.headSize])
      expect(rowLength % 32).toBe(0);
    const outputs = [shape.intermediateSize, shape.hiddenSize, shape.kvHeads * shape.headSize];
    expect(outputs).not.toContain(shape.vocabSize);
  });
});

describe('resolveModel', () => {
  it('suggests the name that was meant, and lists the known ones', async () => {
    const error = await fault(resolveModel('lama-tiny', dir));
    expect(error.message).toContain('did you mean "llama-tiny"');
    expect(error.hint).toContain('llama-nano, llama-nano-deep, llama-nano-mha, llama-tiny');
  });

  it.each(['..', 'constructor', '-flag', '$(id)', 'llama-tiny\0', ''])(
    'refuses the name %j',
    async (name) => {
      expect((await fault(resolveModel(name, dir))).message).toContain('there is no model');
    },
  );

  it('points to a file that was named without its ending', async () => {
    await yamlFile('mine.yaml', 'name: mine');
    expect((await fault(resolveModel('mine', dir))).message).toContain('mine.yaml lies beside');
  });

  it('reads a file relative to the folder given', async () => {
    const text = `name: mine\nsource: {kind: architecture, seed: 7, config: ${JSON.stringify(config)}}\nlayers: 2\n`;
    const model = await resolveModel(await yamlFile('mine.yaml', text), dir);
    expect(model.shape.layers).toBe(2);
    expect(model.origin).toBe('seeded random weights (seed 7)');
  });

  it('names file, line and column of a mistake in a field of the architecture', async () => {
    const text =
      'name: mine\nsource:\n  kind: architecture\n  seed: 1\n  config:\n    model_type: llama\n    hidden_sise: 128\n';
    const { message } = await fault(resolveModel(await yamlFile('typo.yaml', text), dir));
    expect(message).toContain('typo.yaml:7:5: source.config.hidden_sise: no field of a llama config');
    expect(message).toContain('did you mean "hidden_size"');
  });

  it.each([
    [
      'an unknown family',
      { model_type: 'llamma' },
      /expected one of llama, phi, mistral, gemma.*did you mean "llama"/,
    ],
    ['heads that do not divide', { num_attention_heads: 3 }, /num_key_value_heads.*must divide/],
    ['a size that is no number', { hidden_size: '128' }, /hidden_size.*expected a whole number/],
    ['a missing size', { vocab_size: undefined }, /vocab_size.*is missing/],
  ])('refuses %s in a description in place', async (_what, change, message) => {
    const spec = {
      name: 'x',
      source: { kind: 'architecture' as const, seed: 1, config: { ...config, ...change } },
    };
    expect((await fault(resolveModel(spec, dir))).message).toMatch(message);
  });

  it('refuses more layers than the model has', async () => {
    const spec = { name: 'x', layers: 4, source: { kind: 'architecture' as const, seed: 1, config } };
    expect((await fault(resolveModel(spec, dir))).message).toContain('layers: 4 is more than the 3');
  });

  it('reads the config.json of a local folder', async () => {
    const spec = await modelFolder('good', {
      'config.json': JSON.stringify(config),
      'model.safetensors': '',
    });
    const model = await resolveModel(spec, dir);
    expect(model.folder).toBe(join(dir, 'good'));
    expect(model.origin).toBe('local folder good');
    expect(model.spec.source).toEqual({ kind: 'folder', path: 'good' });
  });

  it.each([
    ['no-config', {}, 'has no config.json', 'config.json and model.safetensors'],
    ['no-weights', { 'config.json': '{}' }, 'no safetensors weights', 'expected model.safetensors'],
    ['pickled', { 'config.json': '{}', 'pytorch_model.bin': '' }, 'no safetensors weights', 'is a pickle'],
    ['no-json', { 'config.json': '{', 'm.safetensors': '' }, 'is not JSON', null],
    ['a-list', { 'config.json': '[]', 'm.safetensors': '' }, 'is not a JSON object', null],
    [
      'other',
      { 'config.json': '{"model_type":"mamba"}', 'm.safetensors': '' },
      'found "mamba"',
      'ortbench knows',
    ],
  ])('refuses the folder %s', async (name, files, message, hint) => {
    const error = await fault(resolveModel(await modelFolder(name, files as Record<string, string>), dir));
    expect(error.message).toContain(message);
    if (hint !== null) expect(error.hint).toContain(hint);
  });

  it('plans a hub model from the facts in its description, and without them says how to get them', async () => {
    const source = { kind: 'hub' as const, id: 'owner/name', revision: REVISION };
    const planned = await resolveModel({ name: 'x', source: { ...source, config } }, dir);
    expect(planned.origin).toBe('owner/name@0123456');
    expect(planned.shape.layers).toBe(3);
    const error = await fault(resolveModel({ name: 'x', source }, dir));
    expect(error.message).toContain('it is not downloaded');
    expect(error.hint).toContain(`hf download owner/name config.json --revision ${REVISION}`);
  });
});
