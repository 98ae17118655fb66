import { parse as parseCsv } from 'csv-parse/sync';
import MarkdownIt from 'markdown-it';
import { parseFragment } from 'parse5';
import { afterAll, expect, test } from 'vitest';
import { tree } from '../corpus/html-tree.ts';
import { HostilePlace, SWEEP } from './workplace.ts';

// Every string of the corpus through every writer: test/corpus/writers.test.ts. Here, the way from a user's file to the
// report that a spreadsheet and a browser open.
const place = new HostilePlace();
afterAll(() => place.remove());

const TITLES = [
  '=HYPERLINK("http://attacker.invalid","click")',
  '<img src=x onerror=alert(1)> [x](javascript:alert(1)) | y',
  '\t+1+1',
];

test('titles that would be formulas and markup arrive as text in every file of a report', async () => {
  place.write('titles.yaml', {
    ...SWEEP,
    title: TITLES[1],
    models: TITLES.map((title, i) => ({
      name: `m${i}`,
      title,
      source: {
        kind: 'architecture',
        seed: 1,
        config: {
          model_type: 'llama',
          vocab_size: 64,
          hidden_size: 32,
          intermediate_size: 64,
          num_hidden_layers: 1,
          num_attention_heads: 4,
          max_position_embeddings: 64,
        },
      },
    })),
    engines: [
      { engine: 'fake', name: '+name-' },
      { engine: 'fake', name: 'failing', options: { fault: 'generate-fails' } },
    ].map((engine) => ({ ...engine, name: engine.name.replace(/^\+/, 'a+') })),
    baselines: [{ engine: 'failing' }],
  });
  const { code, stderr } = await place.run(['sweep', 'titles.yaml', '--no-parity', '--out', 'out']);
  expect(code, stderr).toBe(4);
  const report = place.files().filter(({ path }) => path.startsWith('out/report/'));
  const named = (ending: string) => report.filter(({ path }) => path.endsWith(ending));
  expect(named('.csv')).toHaveLength(4);
  for (const { path, text } of named('.csv')) {
    for (const record of parseCsv(text, { record_delimiter: '\n' }) as string[][])
      for (const value of record)
        if (!/^-?[\d.]+(e[+-]?\d+)?$/.test(value)) expect(value, path).not.toMatch(/^\s*[=+\-@]/);
  }
  const [headline] = named('headline.md');
  const elements = tree(parseFragment(new MarkdownIt({ html: true, linkify: true }).render(headline!.text)));
  expect(elements.filter(({ tag }) => tag === 'a' || tag === 'script')).toEqual([]);
  for (const { attributes } of elements.filter(({ tag }) => tag === 'img'))
    expect(attributes.src).toMatch(/^charts\/[a-z0-9._-]+\.png$/);
  for (const { text } of [...named('.svg'), ...named('.html')]) {
    expect(text).not.toContain('<img src=x');
    expect(text).not.toContain('href="javascript');
  }
});
