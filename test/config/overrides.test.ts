import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { overridesOf } from '../../src/commands/overrides.ts';
import { loadSweep } from '../../src/config/load.ts';
import { UserError } from '../../src/errors.ts';
import { parseOnly } from '../../src/plan/only.ts';

const folder = mkdtempSync(join(tmpdir(), 'ortbench-overrides-'));
afterAll(() => rmSync(folder, { recursive: true }));

function config(text: string): string {
  const path = join(folder, 'sweep.yaml');
  writeFileSync(path, `engines: [fake]\nprecisions: [fp32]\nbatchSizes: [1]\npromptLengths: [8]\n${text}`);
  return path;
}
const fault = (promise: Promise<unknown>): Promise<UserError> =>
  promise.then(
    () => Promise.reject(new Error('nothing was thrown')),
    (error) => error,
  );

describe('--layers', () => {
  it('cuts every model under a name that says so, and gives a hub model seeded weights', async () => {
    const { models } = await loadSweep(config('models: [llama-nano, mistral-7b]\n'), { layers: 1 });
    expect(models.map(({ spec }) => spec.name)).toEqual(['llama-nano-1of2layers', 'mistral-7b-1of32layers']);
    expect(models.map(({ cut }) => cut)).toEqual([
      { of: 2, uncutName: 'llama-nano' },
      { of: 32, uncutName: 'mistral-7b' },
    ]);
    const { spec, shape, origin } = models[1]!;
    expect(spec.source).toMatchObject({ kind: 'architecture', seed: 1, config: { hidden_size: 4096 } });
    expect(shape).toMatchObject({ layers: 1, hiddenSize: 4096, kvHeads: 8, slidingWindow: 4096 });
    expect(origin).toBe('seeded random weights (seed 1) in the shapes of mistralai/Mistral-7B-v0.1@26bca36');
  });

  it('lets rules and --only name the whole model', async () => {
    const path = config('models: [llama-nano, phi-nano]\nexclude:\n  - { model: phi-nano }\n');
    const { sweep, models } = await loadSweep(path, { layers: 1 });
    expect(sweep.exclude).toEqual([{ model: ['phi-nano-1of2layers'] }]);
    const named = { model: ['llama-nano-1of2layers'] };
    expect(parseOnly(['model=llama-nano'], sweep, models)).toEqual(named);
    expect(parseOnly(['model=llama-nano-1of2layers'], sweep, models)).toEqual(named);
  });

  it('is another configuration than the whole model', async () => {
    const path = config('models: [llama-nano]\n');
    const whole = await loadSweep(path);
    const cut = await loadSweep(path, { layers: 1 });
    expect(cut.configSha256).not.toBe(whole.configSha256);
    expect(whole.models[0]!.cut).toBeUndefined();
  });

  it('refuses more layers than there are, saying how many', async () => {
    const error = await fault(loadSweep(config('models: [llama-nano]\n'), { layers: 3 }));
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toContain('layers: 3 is more than the 2 of the model');
  });
});

it('--device takes the place of the file’s, and rules may speak of any', async () => {
  const path = config(
    'models: [llama-nano]\ndevice: cuda\nexclude:\n  - { device: cpu, engine: fake, batchSize: 1, promptLength: 8 }\n',
  );
  expect((await loadSweep(path)).sweep.device).toBe('cuda');
});

it.each([
  [{ layers: '0' }, '--layers 0: expected a whole number'],
  [{ layers: '1.5' }, '--layers 1.5: expected a whole number'],
  [{ device: 'cudda' }, 'did you mean "cuda"'],
  [{ device: 'tpu' }, 'devices: cpu, cuda, webgpu'],
  [{ maxHours: '-1' }, '--max-hours -1: expected a number of hours above 0'],
  [{ maxHours: ' ' }, 'expected a number of hours'],
])('refuses %j', (options, message) => {
  expect(() => overridesOf(options)).toThrow(message);
});

it('takes what it is given, and nothing else', () => {
  expect(overridesOf({ layers: '2', device: 'cpu', maxHours: '0.5' })).toEqual({
    layers: 2,
    device: 'cpu',
    maxHours: 0.5,
  });
  expect(overridesOf({})).toEqual({});
});

describe('published figures', () => {
  it('name the file, line and column of a mistake', async () => {
    const file = (claims: string) => {
      writeFileSync(
        join(folder, 'published.yaml'),
        `source: { title: a blog, date: 2024-02-26 }\nsystems:\n  - { model: llama-nana, device: cuda, hardware: null, versions: null, generate: null, claims: [] }\n${claims}`,
      );
      return config('models: [llama-nano]\npublished: published.yaml\n');
    };
    const misnamed = await fault(loadSweep(file('')));
    expect(misnamed.message).toContain('did you mean "llama-nano"');
    expect(misnamed.message).toMatch(/published\.yaml:3:\d+/);
  });

  it('need a figure', async () => {
    writeFileSync(
      join(folder, 'published.yaml'),
      `source: { title: a blog, date: 2024-02-26 }
systems:
  - model: llama-nano
    device: cuda
    hardware: null
    versions: null
    generate: null
    claims:
      - { phase: decode, engine: fake, precision: fp16, baseline: { title: x, engines: [fake], precision: null } }
`,
    );
    const error = await fault(loadSweep(config('models: [llama-nano]\npublished: published.yaml\n')));
    expect(error.message).toContain('a claim needs average, upTo or atLeast');
  });
});
