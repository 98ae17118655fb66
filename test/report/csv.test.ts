import { expect, test } from 'vitest';
import { CSV_COLUMNS } from '../../src/report/columns/index.ts';
import { averagesCsv, neutralise, samplesCsv, speedupsCsv, summaryCsv } from '../../src/report/csv.ts';
import { headlineMarkdown } from '../../src/report/headline.ts';
import { summarise } from '../../src/report/summary.ts';
import { HOSTILE, makeInput } from './fixtures.ts';

/** RFC 4180, written apart from the writer: fields may hold separators, quotes and line breaks. */
function parse(text: string): Record<string, string>[] {
  const lines: string[][] = [[]];
  let value = '';
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (quoted) {
      if (character !== '"') value += character;
      else if (text[i + 1] === '"') {
        value += '"';
        i++;
      } else quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === ',') {
      lines.at(-1)!.push(value);
      value = '';
    } else if (character === '\n') {
      lines.at(-1)!.push(value);
      lines.push([]);
      value = '';
    } else value += character;
  }
  const [head, ...rows] = lines.slice(0, -1);
  return rows.map((row) => {
    expect(row).toHaveLength(head!.length);
    return Object.fromEntries(head!.map((name, i) => [name, row[i]!]));
  });
}
const rowsOf = (blocks: Iterable<string>) => parse([...blocks].join(''));

test('the columns that were promised are there, in snake_case, each described', () => {
  const names = (file: keyof typeof CSV_COLUMNS) => CSV_COLUMNS[file].map(({ name }) => name);
  const summary =
    'model engine precision device batch_size prompt_length generate status reason prompt_tokens_per_second generation_tokens_per_second time_to_first_token_ms inter_token_latency_p50_ms inter_token_latency_p99_ms peak_memory_mib load_ms compile_ms repetitions flags';
  const speedups =
    'model phase engine precision baseline_engine baseline_precision device batch_size prompt_length speedup low high parity reason';
  expect(names('summary.csv').slice(0, 19)).toEqual(summary.split(' '));
  expect(names('speedups.csv').slice(0, 14)).toEqual(speedups.split(' '));
  for (const columns of Object.values(CSV_COLUMNS)) {
    const own = columns.map(({ name }) => name);
    expect(new Set(own).size).toBe(own.length);
    for (const { name, description } of columns) {
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(description.length).toBeGreaterThan(10);
    }
  }
});

test('summary.csv: a row says that it was computed in fp32, and so does the headline', () => {
  const upcast = 'fp16 weights multiplied in float32 (11 of the products), with 14 casts to and fro';
  const report = summarise(
    makeInput({
      edit: (record) =>
        record.kind === 'session' && record.engine === 'onnxruntime'
          ? { ...record, effective: { ...record.effective, upcast } }
          : record,
    }),
  );
  const flagged = rowsOf(summaryCsv(report)).filter(({ flags }) => flags!.includes('computed-in-fp32'));
  expect(new Set(flagged.map(({ engine }) => engine))).toEqual(new Set(['onnxruntime']));
  expect(flagged).toHaveLength(8);
  expect(headlineMarkdown(report)).toContain(upcast);
});

test('summary.csv: every cell, numbers as numbers, reasons where there is no figure', () => {
  const report = summarise(
    makeInput({
      fault: ({ engine }) =>
        engine === 'llamacpp' ? { status: 'oom', reason: 'needs 20 GiB, "15" free' } : null,
    }),
  );
  const rows = rowsOf(summaryCsv(report));
  expect(rows).toHaveLength(32);
  const good = rows[0]!;
  expect(good).toMatchObject({
    engine: 'onnxruntime',
    status: 'ok',
    reason: '',
    repetitions: '6',
    compile_ms: '0',
    parity: 'match',
  });
  const exact = report.rows[0]!.measured!.rates;
  expect(Number(good.prompt_tokens_per_second) / exact.promptTokensPerSecond).toBeCloseTo(1, 10);
  expect(Number(good.time_to_first_token_ms) / (exact.timeToFirstTokenNs! / 1e6)).toBeCloseTo(1, 10);
  expect(Number(good.peak_memory_mib)).toBeCloseTo(510e6 / 2 ** 20, 9);
  const bad = rows.find(({ engine }) => engine === 'llamacpp')!;
  expect(bad).toMatchObject({
    status: 'oom',
    reason: 'needs 20 GiB, "15" free',
    prompt_tokens_per_second: '',
  });
});

test('samples.csv: rates can be made again from the nanoseconds in it', () => {
  const rows = rowsOf(samplesCsv(summarise(makeInput({ rounds: 2 }))));
  expect(rows).toHaveLength(32 * 2);
  for (const row of rows) {
    const prompt = (Number(row.batch_size) * Number(row.prompt_length) * 1e9) / Number(row.prefill_ns);
    expect(Number(row.prompt_tokens_per_second) / prompt).toBeCloseTo(1, 10);
    const steps = Number(row.batch_size) * Number(row.decode_steps);
    expect(Number(row.generation_tokens_per_second) / ((steps * 1e9) / Number(row.decode_ns))).toBeCloseTo(
      1,
      10,
    );
  }
});

test('samples.csv keeps what an invalid cell recorded, without rates', () => {
  const report = summarise(makeInput({ rounds: 2, fault: () => ({ status: 'wrong-tokens' }) }));
  const [first, second] = rowsOf(samplesCsv(report));
  expect(first).toMatchObject({ status: 'invalid', tokens_returned: '256' });
  expect(second).toMatchObject({ status: 'invalid', tokens_returned: '255', prompt_tokens_per_second: '' });
});

test('speedups.csv: the ratio of the throughputs in summary.csv', () => {
  const report = summarise(makeInput({ rounds: 3 }));
  const throughput = new Map(
    rowsOf(summaryCsv(report)).map((row) => [
      `${row.engine} ${row.precision} ${row.batch_size} ${row.prompt_length}`,
      Number(row.generation_tokens_per_second),
    ]),
  );
  const decode = rowsOf(speedupsCsv(report)).filter(({ phase }) => phase === 'decode');
  expect(decode).toHaveLength(3 * 8);
  for (const row of decode) {
    const of = (engine: string) =>
      throughput.get(`${engine} ${row.precision} ${row.batch_size} ${row.prompt_length}`)!;
    expect(Number(row.speedup) / (of(row.engine!) / of('pytorch-eager'))).toBeCloseTo(1, 9);
    expect([row.low, row.high, row.reason]).toEqual(['', '', '']);
  }
});

test('averages.csv: the geometric mean of the cells in speedups.csv', () => {
  const report = summarise(makeInput());
  const speedups = rowsOf(speedupsCsv(report));
  for (const row of rowsOf(averagesCsv(report))) {
    const own = speedups.filter(
      ({ engine, precision, phase }) =>
        engine === row.engine && precision === row.precision && phase === row.phase,
    );
    const logs = own.map(({ speedup }) => Math.log(Number(speedup)));
    expect(Math.exp(logs.reduce((a, b) => a + b) / logs.length)).toBeCloseTo(Number(row.average), 9);
    expect(row.compared).toBe(String(own.length));
  }
});

test.each([...HOSTILE, '＝1', ' =1'])('%j is not a formula, and is found again whole', (text) => {
  const report = summarise(
    makeInput({
      models: [{ name: text, title: text }],
      rounds: 1,
      generate: 2,
      fault: ({ engine }) => (engine === 'llamacpp' ? { status: 'failed', reason: text } : null),
    }),
  );
  const rows = rowsOf(summaryCsv(report));
  const row = rows.find(({ engine }) => engine === 'llamacpp')!;
  for (const value of [row.model!, row.reason!]) {
    expect(value).not.toMatch(/^\s*[=+\-@\t\r＝＋－＠]/);
    expect(value.replace(/^'/, '')).toBe(text.replaceAll('\u0000', ''));
  }
  expect(rows).toHaveLength(32);
});

test('numbers are never neutralised', () => {
  expect(neutralise('-1.5')).toBe("'-1.5");
  const report = summarise(
    makeInput({
      edit: (record) => (record.kind === 'sample' ? { ...record, otherLoadCores: -0.25 } : record),
      rounds: 1,
    }),
  );
  expect(rowsOf(samplesCsv(report))[0]!.other_load_cores).toBe('-0.25');
});
