import { Ajv } from 'ajv';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { gateAnnotations } from '../../src/gate/formats/annotations.ts';
import { bencherMetrics, githubActionBenchmark } from '../../src/gate/formats/histories.ts';
import { gateJunit } from '../../src/gate/formats/junit.ts';
import { gateMarkdown } from '../../src/gate/formats/markdown.ts';
import { gateTable } from '../../src/gate/formats/table.ts';
import { overallVerdict, screenCells } from '../../src/gate/judge.ts';
import type { GateReport, GateRow } from '../../src/gate/model.ts';
import { parityUnchecked, weightWarnings } from '../../src/gate/parity.ts';
import { plain } from '../commands/capture.ts';
import { pairsOf } from './fixtures.ts';

const HOSTILE = '<b>&"\'\u0007\ud800 a|b `x` @me $1\n::error::oops %';

function reportWith(change: (row: GateRow, index: number) => GateRow): {
  report: GateReport;
  measured: Map<string, never>;
} {
  const { cells } = pairsOf({ noise: 0.01 });
  const rows = screenCells(cells).rows.map(change);
  const report: GateReport = {
    format: 1,
    title: HOSTILE,
    mode: 'live',
    baseline: 'old',
    candidate: 'new',
    verdict: overallVerdict(rows),
    pairs: 15,
    pairsReason: 'the default',
    smallestFindable: 1.04,
    rows,
    leftOut: [{ id: 'gone', reason: HOSTILE }],
    parityUnchecked: null,
    warnings: [HOSTILE],
    results: ['results/x'],
  };
  return { report, measured: new Map(cells.map((cell) => [cell.id, cell])) as never };
}

const VERDICTS = ['regression', 'failed', 'inconclusive', 'ok'] as const;
const mixed = reportWith((row, i) => ({
  ...row,
  verdict: VERDICTS[i % 4]!,
  reason: i % 4 === 3 ? row.reason : HOSTILE,
}));

test('JUnit XML is well-formed whatever the text, and counts what it holds', () => {
  const xml = gateJunit(mixed.report);
  expect(XMLValidator.validate(xml)).toBe(true);
  const parser = new XMLParser({ ignoreAttributes: false, isArray: (name) => name === 'testcase' });
  const { testsuites } = parser.parse(xml);
  const cases = testsuites.testsuite.testcase as Record<string, unknown>[];
  const holding = (name: string) => String(cases.filter((found) => name in found).length);
  expect(testsuites.testsuite).toMatchObject({
    '@_tests': String(cases.length),
    '@_failures': holding('failure'),
    '@_errors': holding('error'),
    '@_skipped': holding('skipped'),
  });
  expect(cases).toHaveLength(9);
  expect(holding('failure')).toBe('2');
  expect((cases[0]!.failure as Record<string, string>)['@_message']).toContain('<b>&"\'');
});

test('Markdown keeps hostile text inert and in its cell', () => {
  const text = gateMarkdown(mixed.report);
  expect(text).not.toMatch(/<b>|(?<!\\)`x`|@me/);
  const rows = text.split('\n').filter((line) => line.startsWith('| **'));
  expect(rows).toHaveLength(8);
  for (const row of rows) expect(row.replaceAll('\\|', '').split('|')).toHaveLength(10);
  expect(rows[0]).toContain('**regression**');
  expect(text).toContain('4.0 %');
});

test('annotations are one line each and cannot start another command', () => {
  const lines = gateAnnotations(mixed.report);
  expect(lines).toHaveLength(7);
  expect(lines.slice(0, 4).every((line) => line.startsWith('::error title=ortbench '))).toBe(true);
  expect(lines[4]).toMatch(/^::warning title=ortbench inconclusive::/);
  for (const line of lines) {
    expect(line).not.toMatch(/[\n\r]/);
    expect(line).toMatch(/oops %25$/);
  }
});

/*
 * Neither project publishes its parser: github-action-benchmark is a private package (a GitHub action, none of that name on
 * npm), Bencher's is a Rust crate of its own workspace. Both were run, or their schema was applied, on files of
 * `ortbench compare` when this was written (github-action-benchmark c38cce9, bmf.json of Bencher 8d75325); what they ask
 * for is written down here from them.
 */
test('github-action-benchmark gets what its schema asks for', () => {
  // BenchmarkResults of its src/extract.ts: an array of these.
  const schema = z.array(
    z.strictObject({
      name: z.string().min(1),
      value: z.number(),
      unit: z.string(),
      range: z.string().optional(),
      extra: z.string().optional(),
    }),
  );
  const entries = schema.parse(
    JSON.parse(JSON.stringify(githubActionBenchmark(mixed.report, mixed.measured))),
  );
  expect(entries).toHaveLength(8);
  expect(new Set(entries.map(({ name }) => name)).size).toBe(8);
  // Its src/extractRangeInfo.ts takes what follows the sign for a number, and drops a range that is none.
  for (const { range } of entries) expect(Number(/^±\s*(\d.*)$/.exec(range!)![1]), range).toBeGreaterThan(0);
});

test('Bencher gets what its published schema asks for', () => {
  // https://bencher.dev/docs/reference/bencher-metric-format
  const number = { type: 'number' };
  const metric = {
    type: 'object',
    properties: { value: number, lower_value: number, upper_value: number },
    required: ['value'],
    additionalProperties: false,
  };
  const measures = { type: 'object', minProperties: 1, patternProperties: { '.+': metric } };
  const validate = new Ajv().compile({ type: 'object', patternProperties: { '.+': measures } });
  const metrics = JSON.parse(JSON.stringify(bencherMetrics(mixed.report, mixed.measured)));
  expect(validate(metrics), JSON.stringify(validate.errors)).toBe(true);
  const entries = Object.entries(metrics as Record<string, { throughput: Record<string, number> }>);
  expect(entries).toHaveLength(8);
  for (const [name, { throughput }] of entries) {
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(1024);
    expect(throughput.lower_value).toBeLessThanOrEqual(throughput.value!);
    expect(throughput.upper_value).toBeGreaterThanOrEqual(throughput.value!);
  }
});

test('a gate without the parity check says so in every format, and one with it in none', () => {
  const { report, measured } = mixed;
  const formats = (own: GateReport): Record<string, string> => ({
    terminal: plain(gateTable(own)),
    markdown: gateMarkdown(own),
    junit: gateJunit(own),
    annotations: gateAnnotations(own).join('\n'),
    github: JSON.stringify(githubActionBenchmark(own, measured)),
    json: JSON.stringify(own),
  });
  const stamped = { ...report, parityUnchecked: '--no-parity' };
  for (const [name, text] of Object.entries(formats(stamped))) {
    if (name === 'json') expect(text).toContain('"parityUnchecked":"--no-parity"');
    else
      expect(text.replaceAll('\\', ''), name).toContain(
        'Parity was not checked (--no-parity): nothing shows',
      );
  }
  for (const [name, text] of Object.entries(formats(report)))
    expect(text, name).not.toMatch(/not checked|--no-parity/);
  // Every benchmark of a service's history is stamped, and Bencher, which holds numbers only, by a measure.
  for (const { extra } of githubActionBenchmark(stamped, measured) as { extra: string }[])
    expect(extra).toContain('Parity was not checked');
  for (const measures of Object.values(bencherMetrics(stamped, measured)))
    expect(measures).toMatchObject({ 'parity-unchecked': { value: 1 }, throughput: {} });
  for (const measures of Object.values(bencherMetrics(report, measured)))
    expect(Object.keys(measures)).toEqual(['throughput']);
  // First among the warnings, of which a step shows ten.
  expect(gateAnnotations(stamped)[0]).toMatch(/^::warning title=ortbench::Parity was not checked/);
  const parser = new XMLParser({ ignoreAttributes: false });
  const parity = (own: GateReport) => parser.parse(gateJunit(own)).testsuites.testsuite.properties.property;
  expect(parity(report)).toEqual({ '@_name': 'parity', '@_value': 'checked' });
  expect(parity(stamped)['@_value']).toMatch(/^Parity was not checked/);
});

test('cells that could not be checked are stamped too, though the check was on', () => {
  const parityOf = (verdict: 'match' | 'unchecked') => {
    const { cells } = pairsOf({ verdict: ({ engine }) => (engine === 'old' ? verdict : 'match') });
    return parityUnchecked(true, cells);
  };
  expect(parityOf('match')).toBeNull();
  expect(parityOf('unchecked')).toMatch(/^4 of 4 cells: \S/);
  expect(parityUnchecked(false, pairsOf({}).cells)).toBe('--no-parity');
});

test('sides of other weights are compared, for that may be what is asked, but not unseen', () => {
  const { cells } = pairsOf({
    edit: (record) =>
      record.kind === 'session' && record.engine === 'new'
        ? { ...record, chain: { ...record.chain!, checkpoint: 'f'.repeat(64) } }
        : record,
  });
  expect(cells.every(({ failure }) => failure === null)).toBe(true);
  expect(weightWarnings(cells)).toEqual([
    expect.stringMatching(
      /^4 of 4 cells have other weights: the candidate computed with the canonical checkpoint f{12}, the baseline with [0-9a-f]{12}$/,
    ),
  ]);
  expect(weightWarnings(pairsOf({}).cells)).toEqual([]);
});

test('Bencher is given no name that it refuses, and no two alike', () => {
  const long = reportWith((row, i) => ({ ...row, id: `${'模型 '.repeat(400)}${i}` }));
  const measured = new Map(long.report.rows.map(({ id }) => [id, [...mixed.measured.values()][0]!]));
  const names = Object.keys(bencherMetrics(long.report, measured));
  expect(names).toHaveLength(8);
  for (const name of names) {
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(1024);
    expect(name).not.toContain('\ufffd');
  }
});

test('the terminal table ends with the verdict, worst first, and says what could have been found', () => {
  const lines = plain(gateTable(mixed.report)).split('\n');
  expect(lines.at(-1)).toMatch(/^regression: 2 of 8 comparisons \(new against old\)/);
  expect(lines.at(-2)).toContain('smallest slowdown');
  expect(lines.find((line) => /^│ (?!verdict)/.test(line))).toContain('regression');
});
