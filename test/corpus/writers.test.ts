import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { parse as parseCsv } from 'csv-parse/sync';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import MarkdownIt from 'markdown-it';
import { parseFragment, parse as parseHtml } from 'parse5';
import { afterAll, describe, expect, it } from 'vitest';
import { gateAnnotations } from '../../src/gate/formats/annotations.ts';
import { gateJunit } from '../../src/gate/formats/junit.ts';
import { gateMarkdown } from '../../src/gate/formats/markdown.ts';
import type { GateReport, GateRow } from '../../src/gate/model.ts';
import { chooseFigures } from '../../src/report/charts/choose.ts';
import { render } from '../../src/report/charts/render.ts';
import { summaryCsv } from '../../src/report/csv.ts';
import { slug } from '../../src/report/file-name.ts';
import { headlineMarkdown } from '../../src/report/headline.ts';
import { escapeMarkdown, oneLine } from '../../src/report/markdown.ts';
import { summarise } from '../../src/report/summary.ts';
import { REPORT_FORMATS, writeReport } from '../../src/report/write.ts';
import { ENGINES, makeInput } from '../report/fixtures.ts';
import { HOSTILE_STRINGS } from './corpus.ts';
import { textOf, tree } from './html-tree.ts';

/** Every string as the name, title and origin of a model and as the reason of a failed cell. */
const input = (names: readonly string[], title: string | null = null) =>
  makeInput({
    models: names.map((name) => ({ name, title: name, origin: name })),
    engines: ENGINES.slice(0, 2),
    precisions: ['fp32'],
    batchSizes: [1],
    promptLengths: [8],
    rounds: 1,
    generate: 2,
    title,
    fault: ({ engine, model }) =>
      engine === 'onnxruntime' && model.length % 2 === 0 ? { status: 'failed', reason: model } : null,
  });

describe('CSV', () => {
  const report = summarise(input(HOSTILE_STRINGS));
  const text = [...summaryCsv(report)].join('');
  const rows = parseCsv(text, { columns: true, record_delimiter: '\n' }) as Record<string, string>[];

  it('gives every string back as one literal, that is no formula', () => {
    expect(rows).toHaveLength(2 * HOSTILE_STRINGS.length);
    HOSTILE_STRINGS.forEach((hostile, i) => {
      const row = rows[2 * i]!;
      for (const value of hostile.length % 2 === 0 ? [row.model!, row.reason!] : [row.model!]) {
        // A lone surrogate is no UTF-8: a file holds the replacement character.
        const whole = Buffer.from(hostile.replaceAll('\u0000', '')).toString();
        expect([whole, `'${whole}`], JSON.stringify(hostile)).toContain(value);
        expect(value).not.toMatch(/^\s*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r]/);
      }
    });
  });

  it('keeps every other column what it is', () => {
    for (const row of rows) {
      expect(row.precision).toBe('fp32');
      expect(row.prompt_length).toBe('8');
      if (row.status === 'ok') expect(Number(row.prompt_tokens_per_second)).toBeGreaterThan(0);
    }
  });
});

describe('Markdown', () => {
  const markdown = new MarkdownIt({ html: true, linkify: true });
  const html = (text: string) => parseFragment(markdown.render(text));

  it.each([
    ['a heading', (md: string) => `## x ${md} x`, ['h2']],
    ['a paragraph', (md: string) => `x ${md} x`, ['p']],
    ['bold text', (md: string) => `**x ${md} x**`, ['p', 'strong']],
    ['an item of a list', (md: string) => `- x ${md} x`, ['ul', 'li']],
    ['the beginning of an item', (md: string) => `- ${md} x`, ['ul', 'li']],
    ['the beginning of a line', (md: string) => `${md} x`, ['p']],
    ['the text of a picture', (md: string) => `![x ${md} x](charts/a.png)`, ['p', 'img']],
  ])('%s holds every string as one text', (_, print, elements) => {
    for (const hostile of HOSTILE_STRINGS) {
      const parsed = html(print(escapeMarkdown(hostile)));
      const found = tree(parsed).map(({ tag }) => tag);
      expect(found, JSON.stringify(hostile)).toEqual(elements);
      const shown = elements.includes('img') ? tree(parsed)[1]!.attributes.alt! : textOf(parsed).trim();
      const blanks = (text: string) => text.replace(/ {2,}/g, ' ');
      const expected = blanks(`x ${oneLine(hostile)} x`);
      expect([expected, expected.slice(2)], JSON.stringify(hostile)).toContain(blanks(shown));
    }
  });

  it('a cell of a table holds every string', () => {
    for (const hostile of HOSTILE_STRINGS) {
      const parsed = html(`| a | b |\n| --- | --- |\n| x ${escapeMarkdown(hostile)} x | y |`);
      const found = tree(parsed).map(({ tag }) => tag);
      expect(found, JSON.stringify(hostile)).toEqual('table thead tr th th tbody tr td td'.split(' '));
    }
  });

  it('a whole headline has the elements of one with harmless names', () => {
    const elements = (names: readonly string[], title: string) =>
      tree(html(headlineMarkdown(summarise(input(names, title))))).map(({ tag }) => tag);
    for (let i = 0; i < HOSTILE_STRINGS.length; i += 20) {
      const names = HOSTILE_STRINGS.slice(i, i + 20).filter((name) => oneLine(name) !== '');
      const harmless = names.map((name, k) => `${'m'.repeat(2 + (name.length % 2))}${k}`);
      const alike = harmless.map((name, k) => (name.length % 2 === names[k]!.length % 2 ? name : `${name}m`));
      expect(elements(names, names[0]!)).toEqual(elements(alike, 'harmless'));
    }
  });

  it('has no address in it that a reader would make a link of', () => {
    for (const hostile of HOSTILE_STRINGS)
      expect(escapeMarkdown(hostile), hostile).not.toMatch(/https?:\/\/|\bwww\./i);
  });
});

const row = (id: string, verdict: GateRow['verdict']): GateRow => ({
  id,
  cell: {
    engine: id,
    model: id,
    precision: 'fp32',
    device: 'cpu',
    batchSize: 1,
    promptLength: { length: 8, spread: 0 },
    generate: 2,
  },
  phase: 'decode',
  verdict,
  reason: id,
  baselineRate: 1,
  candidateRate: 1,
  slowdown: null,
  stage: 1,
  pairs: 15,
  adjustedP: null,
  smallestFindable: null,
});
const gate = (names: readonly string[], title: string): GateReport => ({
  format: 1,
  title,
  mode: 'live',
  baseline: title,
  candidate: title,
  verdict: 'regression',
  pairs: 15,
  pairsReason: title,
  smallestFindable: 1.04,
  rows: names.map((name, i) => row(name, (['regression', 'failed', 'inconclusive'] as const)[i % 3]!)),
  leftOut: names.slice(0, 2).map((name) => ({ id: name, reason: name })),
  parityUnchecked: names[0] ?? null,
  warnings: names.slice(0, 2),
  results: [],
});

describe('JUnit XML', () => {
  it('gives every string back as one attribute, as far as XML can hold it', () => {
    const xml = gateJunit(gate(HOSTILE_STRINGS, HOSTILE_STRINGS[0]!));
    expect(XMLValidator.validate(xml)).toBe(true);
    const parser = new XMLParser({
      ignoreAttributes: false,
      htmlEntities: true,
      trimValues: false,
      parseAttributeValue: false,
      isArray: (name) => name === 'testcase',
      processEntities: {
        enabled: true,
        maxTotalExpansions: 1e6,
        maxExpandedLength: 1e8,
        maxEntityCount: 1e6,
      },
    });
    const cases = parser.parse(xml).testsuites.testsuite.testcase as Record<string, unknown>[];
    expect(cases).toHaveLength(HOSTILE_STRINGS.length + 2);
    HOSTILE_STRINGS.forEach((hostile, i) => {
      const held = hostile.replace(
        /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu,
        '\ufffd',
      );
      expect(cases[i]!['@_name'], JSON.stringify(hostile)).toBe(`${held} decode`);
      const [outcome] = ['failure', 'error', 'skipped'].flatMap((name) => cases[i]![name] ?? []);
      expect((outcome as Record<string, string>)['@_message']).toBe(held);
    });
  });
});

describe('annotations of CI systems', () => {
  it.each([...HOSTILE_STRINGS.entries()])('string %d is one command on one line', (_, hostile) => {
    const lines = gateAnnotations(gate([hostile], hostile));
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: each ends a line for some reader
      expect(line.split(/[\r\n\u000b\u000c\u0085\u2028\u2029]/u)).toHaveLength(1);
      const [, level, data] = /^::(error|warning) title=[^:,]*::(.*)$/u.exec(line)!;
      expect(['error', 'warning']).toContain(level);
      const decoded = data!.replaceAll('%0A', '\n').replaceAll('%0D', '\r').replaceAll('%25', '%');
      expect(decoded).toContain(oneLine(hostile, 200).replace(/…$/, ''));
    }
  });
});

describe('the step summary of a CI job', () => {
  it('has the elements of one with harmless names', () => {
    const markdown = new MarkdownIt({ html: true, linkify: true });
    const elements = (names: readonly string[]) =>
      tree(parseFragment(markdown.render(gateMarkdown(gate(names, names[0]!))))).map(({ tag }) => tag);
    for (const hostile of HOSTILE_STRINGS.filter((text) => oneLine(text) !== ''))
      expect(elements([hostile, hostile]), JSON.stringify(hostile)).toEqual(elements(['a', 'b']));
  });
});

describe('SVG', () => {
  const parser = new XMLParser({ ignoreAttributes: false, preserveOrder: false });
  const shape = (svg: string): Set<string> => {
    const found = new Set<string>();
    const walk = (value: unknown, name: string): void => {
      if (Array.isArray(value)) for (const item of value) walk(item, name);
      else if (typeof value === 'object' && value !== null)
        for (const [key, inner] of Object.entries(value)) {
          found.add(key.startsWith('@_') ? `${name} ${key}` : key);
          walk(inner, key);
        }
    };
    walk(parser.parse(svg), '');
    return found;
  };
  const svgOf = async (name: string): Promise<string> => {
    const report = summarise({ ...input([name]), interrupted: false });
    return (await render(chooseFigures(report).figures[0]!, 'svg')).toString();
  };

  it('draws every string with the elements and attributes of a harmless one', async () => {
    const harmless = shape(await svgOf('harmless'));
    // Drawing takes a fifth of a second: those that could be more than letters to a reader of XML.
    const telling = HOSTILE_STRINGS.filter((text) => /[<>&"']|[\p{Cc}\p{Cf}\p{Cs}]/u.test(text));
    expect(telling.length).toBeGreaterThan(100);
    for (const hostile of telling) {
      const svg = await svgOf(hostile);
      expect(XMLValidator.validate(svg), JSON.stringify(hostile)).toBe(true);
      for (const part of shape(svg)) {
        // Which of the drawing's own attributes there are differs with the text; scripts and links are of another kind.
        expect(part, JSON.stringify(hostile)).not.toMatch(/ @_on|href|script|foreignObject|iframe|style$/i);
        if (!part.includes(' ')) expect(harmless, `${part} of ${JSON.stringify(hostile)}`).toContain(part);
      }
    }
  }, 180_000);
});

describe('a whole report', () => {
  const folders: string[] = [];
  afterAll(async () => {
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  });
  const written = async (names: readonly string[]) => {
    const folder = await mkdtemp(join(tmpdir(), 'ortbench-hostile-'));
    folders.push(folder);
    // SVG alone: every chart twice takes long.
    const formats = REPORT_FORMATS.filter((format) => format !== 'png');
    const { files } = await writeReport(input(names, names[0]!), folder, { formats });
    return { folder, files };
  };

  it('writes no file with another name than its own, whatever the names are', async () => {
    const { folder, files } = await written(HOSTILE_STRINGS.slice(0, 10));
    for (const file of files) expect(file).toMatch(/^(charts\/)?[a-z0-9][a-z0-9._-]*$/);
    const present = readdirSync(folder, { recursive: true, withFileTypes: true });
    expect(present.filter((entry) => entry.isFile())).toHaveLength(files.length);
    const stems = HOSTILE_STRINGS.map(slug);
    expect(new Set(stems).size).toBe(stems.length);
    for (const stem of stems) expect(stem).toMatch(/^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/);
  });

  it('has pages with the elements and attributes of harmless ones', async () => {
    const names = HOSTILE_STRINGS.filter((text) => /[<>&"']/.test(text) && oneLine(text) !== '').slice(0, 6);
    const harmless = names.map(
      (name, i) => `${'m'.repeat(3 + i)}${name.length % 2 === (3 + i) % 2 ? '' : 'm'}`,
    );
    const pages = async (given: readonly string[]) => {
      const { folder, files } = await written(given);
      return files
        .filter((file) => extname(file) === '.html')
        .map((file) => tree(parseHtml(readFileSync(join(folder, file), 'utf8'))))
        .map((nodes) =>
          [...new Set(nodes.map(({ tag, attributes }) => `${tag} ${Object.keys(attributes)}`))].sort(),
        );
    };
    expect(await pages(names)).toEqual(await pages(harmless));
  });
});
