import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadSweep } from '../../src/config/load.ts';
import { UserError } from '../../src/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'ortbench-load-'));
afterAll(() => rmSync(folder, { recursive: true }));

const BASE: Record<string, string> = {
  models: '[llama-nano]',
  engines: '[fake]',
  precisions: '[fp32, int4]',
  batchSizes: '[1, 4]',
  promptLengths: '[8, 16]',
  generate: '16',
};

let files = 0;
function write(changes: Record<string, string>): string {
  const path = join(folder, `${files++}.yaml`);
  const lines = Object.entries({ ...BASE, ...changes }).map(([key, value]) => `${key}: ${value}\n`);
  writeFileSync(path, lines.join(''));
  return path;
}

/** The lines of the error, without the file's name. */
async function problems(changes: Record<string, string>): Promise<string[]> {
  const path = write(changes);
  const error = await loadSweep(path).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message.split('\n').map((line) => line.replace(`${path}:`, ''));
}

describe('a good sweep', () => {
  it('comes with its models and a hash of what it means', async () => {
    const path = write({});
    const loaded = await loadSweep(path);
    expect(loaded).toMatchObject({ file: path, baseDir: folder, excludeAt: [] });
    expect(loaded.models.map(({ spec }) => spec.name)).toEqual(['llama-nano']);
    expect(loaded.models[0]!.shape.layers).toBeGreaterThan(0);
    expect(loaded.configSha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('computes in fp32 on the CPU and in fp16 on other devices unless it says otherwise', async () => {
    const withoutPrecisions = async (device: string): Promise<readonly string[]> => {
      const path = write({ device });
      writeFileSync(path, readFileSync(path, 'utf8').replace(/^precisions:.*\n/m, ''));
      return (await loadSweep(path)).sweep.precisions;
    };
    expect(await withoutPrecisions('cpu')).toEqual(['fp32']);
    expect(await withoutPrecisions('cuda')).toEqual(['fp16']);
    expect(await withoutPrecisions('webgpu')).toEqual(['fp16']);
    expect((await loadSweep(write({ device: 'cuda' }))).sweep.precisions).toEqual(['fp32', 'int4']);
    expect(await problems({ precisions: '[]' })).toHaveLength(1);
  });

  it('has the same hash however it is written, and another when it means something else', async () => {
    const hash = async (changes: Record<string, string>) => (await loadSweep(write(changes))).configSha256;
    const plain = await hash({});
    expect(await hash({ engines: '[{engine: fake}]   # a comment', seed: '1' })).toBe(plain);
    expect(await hash({ seed: '2' })).not.toBe(plain);
    const model = (seed: number) =>
      `[{name: a, source: {kind: architecture, seed: ${seed}, config: {model_type: llama, vocab_size: 256, hidden_size: 64, intermediate_size: 128, num_hidden_layers: 2, num_attention_heads: 4, max_position_embeddings: 128}}}]`;
    expect(await hash({ models: model(1) })).not.toBe(await hash({ models: model(2) }));
  });

  it('knows where its exclude rules stand', async () => {
    const path = write({ exclude: '\n  - batchSize: 4\n  - {promptLength: 8, precision: int4}' });
    expect((await loadSweep(path)).excludeAt).toEqual([`${path}:8:5`, `${path}:9:5`]);
  });
});

describe('mistakes', () => {
  it.each<[string, Record<string, string>, string]>([
    [
      'an unknown engine',
      { engines: '[fake, onnx]' },
      '2:17: engines[1].engine: no engine is called "onnx"; did you mean "onnxruntime" or "onnxruntime-js"?',
    ],
    [
      'options of an unknown engine',
      { engineOptions: '{fakes: {}}' },
      '7:17: engineOptions.fakes: no engine is called "fakes"; did you mean "fake"?',
    ],
    [
      'an unknown option',
      { engines: '[{engine: fake, options: {stepMS: 3}}]' },
      '2:36: engines[0].options.stepMS: unknown key; did you mean "stepMs"?',
    ],
    [
      'a wrong option for every variant',
      { engineOptions: '{fake: {stepMs: slow}}' },
      '7:32: engineOptions.fake.stepMs: expected a number, found "slow"',
    ],
    [
      'an engine given twice',
      { engines: '[fake, fake]' },
      '2:17: engines[1]: fake is already given at engines[0]; give each variant a name of its own',
    ],
    [
      'a batch size given twice',
      { batchSizes: '[1, 1]' },
      '4:17: batchSizes[1]: 1 is already given at batchSizes[0]',
    ],
    [
      'a prompt length given twice in two ways',
      { promptLengths: '[8, {length: 8, spread: 0}]' },
      '5:20: promptLengths[1]: 8 is already given at promptLengths[0]',
    ],
    [
      'a model given twice',
      { models: '[llama-nano, llama-nano]' },
      '1:22: models[1]: llama-nano is already given at models[0]',
    ],
    [
      'a baseline that is not in the sweep',
      { baselines: '[{engine: pytorch-eager}]' },
      '7:22: baselines[0].engine: engine pytorch-eager is not in this sweep; it has fake',
    ],
    [
      "a baseline's precision that is not in the sweep",
      { baselines: '[{engine: fake, precision: fp16}]' },
      '7:39: baselines[0].precision: precision fp16 is not in this sweep; it has fp32, int4',
    ],
    [
      'a rule for nothing',
      { exclude: '[{batchSize: [4, 8]}]' },
      '7:27: exclude[0].batchSize[1]: batchSize 8 is not in this sweep; it has 1, 4',
    ],
    [
      'a rule for a mistyped model',
      { include: '[{model: llama-nan}]' },
      '7:19: include[0].model[0]: model llama-nan is not in this sweep; did you mean "llama-nano"?',
    ],
    [
      'rules that leave nothing',
      { exclude: '[{engine: fake}]' },
      '7:1: exclude: the rules leave none of the 8 cells',
    ],
  ])('%s', async (_name, changes, problem) => {
    expect(await problems(changes)).toEqual([problem]);
  });

  it('names unknown models and near ones', async () => {
    const [problem] = await problems({ models: '[llama-nanno]' });
    expect(problem).toContain('1:10: models[0]: there is no model "llama-nanno"; did you mean "llama-nano"');
  });

  it('refuses prompts that no model can hold', async () => {
    const [problem, ...others] = await problems({ promptLengths: '[8, 1000000]' });
    expect(problem).toMatch(
      /^5:20: promptLengths\[1\]: prompt 1000000 \+ generate 16 = 1000016 tokens, longer than the context of every model here \(llama-nano holds \d+\)$/,
    );
    expect(others).toEqual([]);
  });

  it('tells all of them at once, in the order of the file', async () => {
    const lines = await problems({
      models: '[nothing]',
      engines: '[onnx]',
      batchSizes: '[1, 1]',
      baselines: '[{engine: torch}]',
    });
    expect(lines.map((line) => line.split(': ')[1])).toEqual([
      'models[0]',
      'engines[0].engine',
      'batchSizes[1]',
      'baselines[0].engine',
    ]);
  });
});

it('refuses a sweep of a billion cells at once, with the count and the place', async () => {
  const list = (size: number) => `[${Array.from({ length: size }, (_, i) => i + 1).join(', ')}]`;
  const before = process.cpuUsage();
  const lines = await problems({
    models: '[llama-nano, phi-nano]',
    batchSizes: list(900),
    promptLengths: list(900),
    precisions: `[${Array(800).fill('int4').join(', ')}]`,
  });
  expect(lines).toEqual([
    '4:1: batchSizes: models (2) × engines (1) × precisions (800) × batchSizes (900) × promptLengths (900) = 1296000000 cells, more than 1000000; split the sweep',
  ]);
  // Processor time, so that a busy machine fails nobody.
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(1000);
});
