import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseYaml, readYamlFile } from '../../src/config/yaml.ts';
import { UserError } from '../../src/errors.ts';
import { modelSchema } from '../../src/schema/model.ts';
import { sweepSchema } from '../../src/schema/sweep.ts';

const BASE = 'models: [m]\nengines: [fake]\nprecisions: [fp32]\nbatchSizes: [1]\npromptLengths: [8]\n';

/** The error's lines without the file's name. */
function problems(text: string, schema: z.ZodType = sweepSchema): string[] {
  try {
    parseYaml(text, 'x.yaml', schema);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message.split('\n').map((line) => line.replace(/^x\.yaml:/, ''));
  }
  throw new Error('was accepted');
}

describe('parseYaml', () => {
  it('fills in defaults and shorthands', () => {
    const sweep = parseYaml(BASE, 'x.yaml', sweepSchema);
    expect(sweep).toMatchObject({
      generate: 256,
      engines: [{ engine: 'fake', name: 'fake', options: {} }],
      promptLengths: [{ length: 8, spread: 0 }],
      warmup: { runs: 2, seconds: 3 },
    });
  });

  it('names line, column, path, expectation and finding, all problems at once and in the order of the file', () => {
    const text = `${BASE.replace('[8]', '[8, many]').replace('fp32', 'fp33')}seed: -1\n`;
    expect(problems(text)).toEqual([
      '3:14: precisions[0]: expected one of fp32, fp16, bf16, int4, found "fp33"; did you mean "fp32"?',
      '5:20: promptLengths[1]: expected a number or a mapping, found "many"',
      '6:7: seed: expected a number of at least 0, found -1',
    ]);
  });

  it.each([
    ['prompt_lengths: [3]', '6:1: prompt_lengths: unknown key; did you mean "promptLengths"?'],
    ['warmup: {run: 3}', '6:10: warmup.run: unknown key; did you mean "runs"?'],
    ['warmup:\n  zzz: 3', '7:3: warmup.zzz: unknown key; known keys: runs, seconds'],
    ['generate: 1.5', '6:11: generate: expected a whole number, found 1.5'],
    ['generate:', '6:10: generate: expected a number, found nothing'],
    ['generate: [2]', '6:11: generate: expected a number, found a list'],
    ['exclude: [{}]', '6:11: exclude[0]: a rule needs at least one field'],
    [
      'exclude: [{precision: [int5]}]',
      '6:24: exclude[0].precision[0]: expected one of fp32, fp16, bf16, int4, found "int5"; did you mean "int4"?',
    ],
    ['exclude: [{batchSize: x}]', '6:23: exclude[0].batchSize: expected a number or a list, found "x"'],
    ['device: gpu', '6:9: device: expected one of cpu, cuda, webgpu, found "gpu"'],
    ['baselines: [{}]', '6:13: baselines[0].engine: required, but missing; expected text'],
    ['title: 5', '6:8: title: expected text, found 5'],
    ['engineOptions: {fake: 4}', '6:23: engineOptions.fake: expected a mapping, found 4'],
    [
      'seed: 99999999999999999999',
      '6:7: seed: expected a number of at most 9007199254740991, found 100000000000000000000',
    ],
    [
      'timeLimits: {cellSeconds: 0}',
      '6:27: timeLimits.cellSeconds: expected a number of more than 0, found 0',
    ],
  ])('explains %s', (text, problem) => {
    expect(problems(`${BASE}${text}\n`)).toEqual([problem]);
  });

  it('says what is missing from an empty list and an empty file', () => {
    expect(problems(BASE.replace('[1]', '[]'))).toEqual([
      '4:13: batchSizes: expected a list of at least 1 entry, found an empty list',
    ]);
    expect(problems('')).toEqual(['1:1: expected a mapping, found nothing']);
    expect(problems('models: [m]').slice(0, 2)).toEqual([
      '1:1: engines: required, but missing; expected a list',
      '1:1: batchSizes: required, but missing; expected a list',
    ]);
  });

  it('explains a union by the branch nearest to what was written', () => {
    const text = BASE.replace('[m]', '[{name: x, source: {kind: hub, id: a/b, revision: main, seed: 4}}]');
    expect(problems(text)).toEqual([
      '1:59: models[0].source.revision: expected a full 40-digit commit hash, found "main"',
      '1:65: models[0].source.seed: unknown key; known keys: kind, id, revision, config',
    ]);
    expect(problems('name: x\nsource: {kind: hbu}', modelSchema)).toEqual([
      '2:16: source.kind: expected one of hub, folder, architecture, found "hbu"',
    ]);
    expect(problems(BASE.replace('[8]', '[{length: 8, spred: 0}]'))).toEqual([
      '5:17: promptLengths[0].spread: required, but missing; expected a number',
      '5:29: promptLengths[0].spred: unknown key; did you mean "spread"?',
    ]);
  });

  it('follows anchors to the place that is wrong', () => {
    const text = `${BASE}warmup: &w {runs: x}\n`;
    expect(problems(text)).toEqual(['6:19: warmup.runs: expected a number, found "x"']);
    expect(
      problems('a: &l [x]\nb: *l', z.strictObject({ a: z.array(z.string()), b: z.array(z.number()) })),
    ).toEqual(['1:8: b[0]: expected a number, found "x"']);
  });

  it.each([
    ['a: 1\nb: 2\na: 3', '3:1: the key "a" is given twice'],
    ['a:\n  __proto__: {x: 1}', '2:3: the key "__proto__" is not allowed'],
    ['"__proto__": 1', '1:1: the key "__proto__" is not allowed'],
    ['? [a]\n: b', '1:3: a key must be plain text'],
    ['a: 1\n---\nb: 2', '2:1: more than one YAML document'],
    ['%YAML 1.1\n---\na: 1', '1:1: expected YAML 1.2, found a %YAML directive of another version'],
    ['a: !!js/function "x"', '1:4: the tag !!js/function is not allowed: these files are plain data'],
    ['a: *nothing', '1:4: no anchor &nothing before this'],
  ])('refuses %j', (text, problem) => {
    expect(problems(text, z.record(z.string(), z.unknown()))).toEqual([problem]);
  });

  it('does not take a key of every object for a known one', () => {
    expect(problems(`${BASE}constructor: 1`)[0]).toContain('6:1: constructor: unknown key');
  });

  it('shows at most fifty problems', () => {
    const lines = problems(Array.from({ length: 80 }, (_, i) => `k${i}: 1`).join('\n'), z.strictObject({}));
    expect(lines).toHaveLength(51);
    expect(lines[50]).toBe('… and 30 more problems');
  });
});

describe('hostile files', () => {
  const MIB = 2 ** 20;
  const bomb = [...'bcdefghi'].map((name, i) => {
    const before = `*${String.fromCharCode(97 + i)}`;
    return `${name}: &${name} [${Array(9).fill(before).join(', ')}]`;
  });
  it.each([
    ['deep lists', '['.repeat(MIB), 'brackets nested more than 32 deep'],
    ['deep mappings', '{'.repeat(MIB), 'brackets nested more than 32 deep'],
    ['deep entries', '- '.repeat(MIB / 2), 'entries nested more than 32 deep'],
    ['deep keys', '? '.repeat(MIB / 2), 'entries nested more than 32 deep'],
    [
      'deep indentation',
      Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}k:`).join('\n'),
      'nested too deeply',
    ],
    [
      'many keys',
      Array.from({ length: 100_000 }, (_, i) => `k${i}: 1`).join('\n'),
      'entries: too many for one file, split it',
    ],
    ['many entries', `a: [${'1,'.repeat(500_000)}]`, 'entries: too many for one file, split it'],
    ['many commas', `a: [${','.repeat(20_000)}]`, 'tokens: too many for one file, split it'],
    ['many brackets', ']'.repeat(2_900), 'closes what nothing opened'],
    ['many brackets in pairs', '{}'.repeat(1_450), 'Unexpected flow-map-start'],
    ['many stray words', '"a"'.repeat(2_900), 'Unexpected double-quoted-scalar'],
    ['many aliases', `- &a x\n${'- *a\n'.repeat(900)}`, 'Excessive alias count'],
    ['many anchors', '&a '.repeat(MIB / 3), 'more than 100 anchors'],
    ['an alias bomb', ['a: &a [x, x, x, x, x, x, x, x, x]', ...bomb].join('\n'), 'Excessive alias count'],
    ['an open quote', `"${'a'.repeat(MIB - 1)}`, 'Missing closing'],
    ['a large file', 'a'.repeat(10 * MIB), 'larger than 1 MiB'],
  ])('refuses %s in under a second', (_name, text, problem) => {
    const before = process.cpuUsage();
    expect(problems(text)[0]).toContain(problem);
    // Processor time, so that a busy machine fails nobody.
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(1000);
  });
});

describe('readYamlFile', () => {
  it('says which file is not there', async () => {
    await expect(readYamlFile('/nowhere/x.yaml')).rejects.toThrow('/nowhere/x.yaml: no such file');
  });

  it('refuses folders', async () => {
    await expect(readYamlFile('/')).rejects.toThrow(UserError);
  });
});
