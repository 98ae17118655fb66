import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Ajv from 'ajv/dist/2020.js';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Answers } from '../../src/commands/new/answers.ts';
import { parseNumbers } from '../../src/commands/new/numbers.ts';
import {
  type MachineFacts,
  precisionsOf,
  proposedEngines,
  proposedPrecisions,
  proposedPromptLengths,
} from '../../src/commands/new/proposal.ts';
import { sweepText } from '../../src/commands/new/text.ts';
import { runNew } from '../../src/commands/new.ts';
import { loadSweep } from '../../src/config/load.ts';
import type { ModelShape } from '../../src/schema/model.ts';
import { sweepSchema } from '../../src/schema/sweep.ts';
import { capture } from './capture.ts';

const folder = mkdtempSync(join(tmpdir(), 'ortbench-new-'));
afterAll(() => rmSync(folder, { recursive: true }));

const answers: Answers = {
  model: 'llama-nano',
  title: 'A "title": with # and - in it',
  device: 'cpu',
  engines: ['onnxruntime', 'llamacpp'],
  precisions: ['fp32', 'int4'],
  batchSizes: [1, 4],
  promptLengths: [16],
  generate: 32,
  repetitions: 6,
  baselines: ['llamacpp'],
};

describe('the text', () => {
  const text = sweepText(answers, './sweep.schema.json', 'x.yaml');

  it('says what was answered, whatever is in it', async () => {
    expect(parse(text)).toEqual({
      ...{ title: answers.title, models: ['llama-nano'], engines: answers.engines, device: 'cpu' },
      ...{ precisions: answers.precisions, batchSizes: [1, 4], promptLengths: [16], generate: 32 },
      ...{ repetitions: 6, baselines: [{ engine: 'llamacpp' }] },
    });
    const file = join(folder, 'text.yaml');
    writeFileSync(file, text);
    await expect(loadSweep(file)).resolves.toMatchObject({ sweep: { title: answers.title } });
  });

  it('begins with the schema, and has every key of it under a comment', () => {
    expect(text).toMatch(/^# yaml-language-server: \$schema=\.\/sweep\.schema\.json\n/);
    const lines = text.split('\n');
    for (const key of Object.keys(sweepSchema.shape).filter(
      (name) => name !== '$schema' && name !== 'title',
    )) {
      const at = lines.findIndex((line) => new RegExp(`^(?:# )?${key}:`).test(line));
      expect(at, key).toBeGreaterThan(0);
      // Neighbours may share one comment.
      const before = lines.slice(0, at).reverse();
      const comment = before.find(
        (line) => line === '' || /^# [A-Z]/.test(line) || /^# .*\b\w+ \w+ \w+/.test(line),
      );
      expect(comment, key).toMatch(/^# /);
    }
  });

  it('is still a sweep when what stands commented out is taken in', () => {
    const all = text.replace(/^# (?=[a-z]\w*:)/gm, '').replace(/^# {3}(?=[-a-z])/gm, '  ');
    const { title: _, ...rest } = parse(all);
    const keys = Object.keys(sweepSchema.shape).filter((name) => name !== '$schema' && name !== 'title');
    expect(Object.keys(rest).sort()).toEqual(keys.sort());
    const schema = new Ajv.default({ allowUnionTypes: true }).compile(
      JSON.parse(readFileSync('configs/sweep.schema.json', 'utf8')),
    );
    expect(schema(rest), JSON.stringify(schema.errors)).toBe(true);
    expect(sweepSchema.safeParse(rest).success).toBe(true);
  });
});

describe('runNew without a terminal', () => {
  const out = join(folder, 'made', 'nano.yaml');
  const options = { out, precision: ['fp32'], batchSizes: '1', promptLengths: '8, 16', generate: '4' };
  const write = (more: object = {}) =>
    capture(() =>
      runNew('llama-nano', { ...options, engine: ['onnxruntime', 'llamacpp'], json: true, ...more }),
    );

  it('writes a sweep that validates and plans, and never over another', async () => {
    const { code, stdout } = await write();
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ file: out, cells: 4, planned: 4 });
    expect((await loadSweep(out)).sweep).toMatchObject({
      batchSizes: [1],
      generate: 4,
      baselines: [{ engine: 'llamacpp' }],
    });
    const before = readFileSync(out, 'utf8');
    await expect(write({ batchSizes: '2' })).rejects.toThrow('nano.yaml is there already');
    expect(readFileSync(out, 'utf8')).toBe(before);
    expect((await write({ batchSizes: '2', force: true })).code).toBe(0);
    expect((await loadSweep(out)).sweep.batchSizes).toEqual([2]);
  });

  it('names the path of a model file from where the sweep lies', async () => {
    const model = join(folder, 'mine.yaml');
    writeFileSync(
      model,
      readFileSync('configs/models/llama-nano.yaml', 'utf8').replace('name: llama-nano', 'name: mine'),
    );
    const file = join(folder, 'deep', 'sweep.yaml');
    await capture(() => runNew(model, { ...options, engine: ['onnxruntime'], out: file }));
    expect(parse(readFileSync(file, 'utf8')).models).toEqual(['../mine.yaml']);
    expect((await loadSweep(file)).models[0]!.spec.name).toBe('mine');
  });

  it.each<[string, string | undefined, object, string]>([
    ['no model', undefined, {}, 'no model is named, and there is no terminal to ask on'],
    ['an unknown model', 'llama-nanno', {}, 'there is no model "llama-nanno"'],
    ['an unknown engine', 'llama-nano', { engine: ['onnx'] }, '--engine onnx: there is none for cpu'],
    ['an unknown precision', 'llama-nano', { precision: ['fp31'] }, '--precision fp31: expected one of'],
    ['an unknown device', 'llama-nano', { device: 'gpu' }, '--device gpu: expected one of cpu, cuda, webgpu'],
    ['no number', 'llama-nano', { batchSizes: '1,x' }, '--batch-sizes 1,x: expected whole numbers'],
    ['a foreign baseline', 'llama-nano', { baseline: ['genai'] }, '--baseline genai is none of the engines'],
    [
      'another ending',
      'llama-nano',
      { out: 'x.json' },
      '--out x.json: the name of a sweep file ends in .yaml',
    ],
    [
      'a prompt beyond the context',
      'llama-nano',
      { promptLengths: '100000' },
      'these choices do not make a sweep',
    ],
  ])('%s is a mistake that is named', async (_name, model, more, message) => {
    const wrong = { ...options, engine: ['onnxruntime'], out: join(folder, 'wrong.yaml'), ...more };
    await expect(capture(() => runNew(model, wrong))).rejects.toThrow(message);
    expect(() => readFileSync(join(folder, 'wrong.yaml'))).toThrow('ENOENT');
  });
});

describe('what is proposed', () => {
  const all = { fp32: true, fp16: 'no kernels', bf16: true, int4: true } as const;
  const facts = (availableMiB: number): MachineFacts => ({
    availableMiB,
    engines: [
      { id: 'a', title: 'A', missing: null, installsItself: false, precisions: all },
      {
        id: 'b',
        title: 'B',
        missing: 'no library',
        installsItself: true,
        precisions: { ...all, int4: 'no' },
      },
    ],
  });
  const shape = { parameters: 1e9, maxContextLength: 100 } as ModelShape;

  it('are engines that run, else those that a sweep installs', () => {
    expect(proposedEngines(facts(1))).toEqual(['a']);
    expect(proposedEngines({ ...facts(1), engines: facts(1).engines.slice(1) })).toEqual(['b']);
  });

  it('are weights that fit the memory', () => {
    expect(proposedPrecisions(facts(64_000), ['a'], shape)).toEqual(['fp32', 'int4']);
    expect(proposedPrecisions(facts(6_000), ['a'], shape)).toEqual(['bf16', 'int4']);
    expect(proposedPrecisions(facts(2_000), ['a'], shape)).toEqual(['int4']);
    expect(proposedPrecisions(facts(64_000), ['b'], shape)).toEqual(['fp32']);
    expect(precisionsOf(facts(1), ['a']).find(({ precision }) => precision === 'fp16')!.refusal).toBe(
      'no kernels',
    );
  });

  it('are prompts that fit the context', () => {
    expect(proposedPromptLengths(shape, 50)).toEqual([32]);
    expect(proposedPromptLengths(shape, 90)).toEqual([10]);
  });
});

it.each<[string, number[] | null]>([
  ['1,4', [1, 4]],
  [' 1  4 ', [1, 4]],
  ['', null],
  ['0', null],
  ['1.5', null],
  ['2,2', null],
  ['1e9', null],
])('reads %j', (text, numbers) => {
  expect(parseNumbers(text)).toEqual(numbers);
});
