import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lineOf, memberLines } from '../../src/imports/json-position.ts';
import { readFigures } from '../../src/imports/read.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/imports/${name}`, import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ortbench-imports-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function written(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}
const rowsOf = async (name: string): Promise<Record<string, unknown>[]> =>
  (await readFile(fixture(name), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('real outputs', () => {
  it('llama-bench -o jsonl: each test by what it counts', async () => {
    const { format, figures } = await readFigures(fixture('llama-bench.jsonl'));
    expect(format.title).toBe('llama-bench');
    const tests = figures
      .map(({ test, promptLength, generate }) => `${test} ${promptLength} ${generate}`)
      .sort();
    expect(tests).toEqual(
      [
        'pp 16 0',
        'pp @ d16 16 0',
        'pp 32 0',
        'pp @ d16 32 0',
        'tg8 0 9',
        'tg8 16 9',
        'pp16+tg8 16 9',
        'pp16+tg8 @ d16 16 9',
      ].sort(),
    );
    for (const [index, figure] of figures.entries()) {
      expect(figure).toMatchObject({
        model: 'llama-nano-f32.gguf',
        weights: 'llama ?B all F32',
        device: 'cpu',
        threads: 2,
      });
      expect(figure.ns).toHaveLength(3);
      expect(figure.source).toMatchObject({ file: 'llama-bench.jsonl', line: index + 1 });
      const mean = figure.ns.map((ns) => (figure.tokens * 1e9) / ns).reduce((a, b) => a + b) / 3;
      expect(figure.tokensPerSecond / mean).toBeCloseTo(1, 5);
    }
  });

  it('llama-bench -o json is the same with other lines', async () => {
    const { figures } = await readFigures(fixture('llama-bench.json'));
    expect(figures.map(({ test }) => test)).toEqual(['pp', 'tg8']);
    const text = (await readFile(fixture('llama-bench.json'), 'utf8')).split('\n');
    for (const { source } of figures) expect(text[source.line - 1]!.trim()).toBe('{');
    expect(figures[1]!.source.line).toBeGreaterThan(figures[0]!.source.line);
  });

  it('llama-batched-bench: prompt and generation of each row', async () => {
    const { format, figures } = await readFigures(fixture('llama-batched-bench.jsonl'));
    expect(format.title).toBe('llama-batched-bench');
    expect(figures).toHaveLength(8);
    expect(figures[2]).toMatchObject({
      definition: 'llama-batched-bench-pp',
      batchSize: 2,
      promptLength: 16,
      tokens: 32,
      generate: 0,
      model: null,
      weights: null,
      device: null,
    });
    expect(figures[3]).toMatchObject({
      definition: 'llama-batched-bench-tg',
      tokens: 16,
      generate: 9,
      test: 'tg8',
    });
  });

  it('benchmark_e2e of onnxruntime-genai: the batch counted twice', async () => {
    const { figures } = await readFigures(fixture('genai-e2e.json'));
    expect(
      figures.map(({ definition, batchSize, promptLength, generate }) => [
        definition,
        batchSize,
        promptLength,
        generate,
      ]),
    ).toEqual([
      ['genai-e2e-prompt', 1, 16, 0],
      ['genai-e2e-generation', 1, 16, 8],
      ['genai-e2e-prompt-twice', 2, 16, 0],
      ['genai-e2e-generation', 2, 16, 8],
    ]);
    // 2 sequences of 16 tokens in 0.8 ms are 40,000 tokens/s; the tool says 80,000.
    expect(figures[2]!.tokensPerSecond).toBeCloseTo(80_000);
  });

  it('a length that may be of one sequence or of all is refused', async () => {
    const entries = JSON.parse(await readFile(fixture('genai-e2e.json'), 'utf8'));
    entries[1].config.max_length = 40;
    const path = await written('genai.json', JSON.stringify(entries, null, 1));
    await expect(readFigures(path)).rejects.toThrow(
      /genai\.json:\d+: batch 2: nothing tells whether prompt_length 32 is of one sequence or of all/,
    );
  });

  it('optimum-benchmark: benchmark.json, and its report beside its config', async () => {
    const whole = await readFigures(fixture('benchmark.json'));
    expect(whole.format.title).toBe('optimum-benchmark');
    expect(whole.figures).toMatchObject([
      {
        definition: 'optimum-prefill',
        batchSize: 2,
        promptLength: 16,
        generate: 0,
        tokens: 32,
        device: 'cpu',
        threads: 2,
      },
      { definition: 'optimum-decode', batchSize: 2, promptLength: 16, generate: 8, tokens: 14 },
    ]);
    const { config, report } = JSON.parse(await readFile(fixture('benchmark.json'), 'utf8'));
    const path = await written('benchmark_report.json', JSON.stringify(report));
    await expect(readFigures(path)).rejects.toThrow(
      'benchmark_report.json:1: the report alone does not tell batch size',
    );
    await written('benchmark_config.json', JSON.stringify(config));
    const split = await readFigures(path);
    const figuresOnly = (figures: typeof whole.figures) =>
      figures.map(({ source: _, at: __, ...rest }) => rest);
    expect(figuresOnly(split.figures)).toEqual(figuresOnly(whole.figures));
  });
});

describe('mistakes name file and line', () => {
  it.each<[string, string, RegExp]>([
    ['empty.jsonl', '', /empty\.jsonl:1: the file is empty/],
    ['prose.txt', 'pp512 1234 t/s\n', /prose\.txt:1: no JSON/],
    ['list.json', '[]', /list\.json:1: the list is empty/],
    ['other.json', '{"speed": 3}', /other\.json:1: this is no output of a tool that can be imported/],
    ['null.json', 'null', /null\.json:1: this is no output/],
    ['numbers.json', '[1, 2]', /numbers\.json:1: this is no output/],
    ['deep.json', `${'['.repeat(200_000)}`, /deep\.json:1: no JSON/],
    [
      'proto.json',
      '{"__proto__": {"samples_ns": [1], "n_gen": 1, "model_type": "x"}}',
      /proto\.json:1: this is no output/,
    ],
  ])('%s', async (name, content, message) => {
    await expect(readFigures(await written(name, content))).rejects.toThrow(message);
  });

  it('in the third line, though others stand between', async () => {
    const [first] = await rowsOf('llama-bench.jsonl');
    const lines = [
      JSON.stringify(first),
      'llama_init: a line of the log',
      JSON.stringify({ ...first, n_threads: 'two' }),
    ];
    await expect(readFigures(await written('x.jsonl', lines.join('\n')))).rejects.toThrow(
      /x\.jsonl:3: n_threads: .*number/,
    );
  });

  it('in the second entry of a list', async () => {
    const rows = await rowsOf('llama-bench.jsonl');
    const text = JSON.stringify([rows[0], { ...rows[1], avg_ts: -1 }], null, 2);
    const line = text.split('\n').findIndex((part) => part.includes('"avg_ts": -1')) + 1;
    await expect(readFigures(await written('x.json', text))).rejects.toThrow(
      new RegExp(`x\\.json:${line}: avg_ts`),
    );
  });

  it('a torn line', async () => {
    const [first] = await rowsOf('llama-bench.jsonl');
    const text = `${JSON.stringify(first)}\n${JSON.stringify(first).slice(0, 100)}`;
    await expect(readFigures(await written('x.jsonl', text))).rejects.toThrow(/x\.jsonl:2: no JSON/);
  });

  it('a rate that its own times do not make', async () => {
    const [bench] = await rowsOf('llama-bench.jsonl');
    await expect(
      readFigures(await written('x.jsonl', JSON.stringify({ ...bench, avg_ts: Number(bench!.avg_ts) * 2 }))),
    ).rejects.toThrow(/x\.jsonl:1: avg_ts is .* another version of the tool\?/);
    const [batched] = await rowsOf('llama-batched-bench.jsonl');
    await expect(
      readFigures(await written('y.jsonl', JSON.stringify({ ...batched, speed_tg: 1 }))),
    ).rejects.toThrow(/y\.jsonl:1: speed_tg is 1/);
  });

  it('infinite and overlong values', async () => {
    const [first] = await rowsOf('llama-bench.jsonl');
    const text = JSON.stringify(first).replace(/"avg_ts": ?[\d.]+/, '"avg_ts":1e999');
    await expect(readFigures(await written('x.jsonl', text))).rejects.toThrow(/x\.jsonl:1: avg_ts/);
    const long = JSON.stringify({ ...first, model_filename: 'x'.repeat(5000) });
    await expect(readFigures(await written('y.jsonl', long))).rejects.toThrow(/y\.jsonl:1: model_filename/);
  });

  it('too many entries, a file that is too large, a folder, none', async () => {
    const [first] = await rowsOf('llama-bench.jsonl');
    await expect(
      readFigures(await written('x.jsonl', `${JSON.stringify(first)}\n`.repeat(10_001))),
    ).rejects.toThrow('more than 10000 entries');
    const path = await written('large.json', ' '.repeat(33 * 1024 * 1024));
    await expect(readFigures(path)).rejects.toThrow('more than any output that can be imported');
    await expect(readFigures(folder)).rejects.toThrow('is a folder');
    await expect(readFigures(join(folder, 'none'))).rejects.toThrow('none: no such file');
  });
});

describe('positions in JSON', () => {
  const text = '{\n "a": [1,\n  {"b": "x,[]{}\\"",\n   "c": 3}],\n "b": 2\n}';
  it.each<[(string | number)[], number]>([
    [[], 1],
    [['a'], 2],
    [['a', 1], 3],
    [['a', 1, 'b'], 3],
    [['a', 1, 'c'], 4],
    [['b'], 5],
    [['a', 1, 'missing'], 3],
  ])('%j is in line %d', (path, line) => {
    expect(lineOf(text, path)).toBe(line);
  });

  it('members of a list', () => {
    expect(memberLines('[\n1,\n\n{"a": [1,\n2]}, "x,y"\n]')).toEqual([2, 4, 5]);
    expect(memberLines('[]')).toEqual([]);
  });
});
