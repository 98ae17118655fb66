import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CSV_COLUMNS } from '../src/report/columns/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };

describe.each(['README.md', 'CONTRIBUTING.md'])('%s', (page) => {
  const text = readFileSync(join(root, page), 'utf8');
  const spans = [...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);

  it('names files and folders that exist', () => {
    const looksLikePath = /^(src|test|configs|runners|scripts|docs|results|reports|\.ci)\/[\w./-]*$/;
    const paths = spans.filter((span) => looksLikePath.test(span));
    expect(paths.length).toBeGreaterThan(3);
    for (const path of paths) expect(existsSync(join(root, path)), path).toBe(true);
  });

  it('names npm scripts that exist', () => {
    for (const [, name] of text.matchAll(/npm run (?:--silent )?([\w:-]+)/g))
      expect(scripts).toHaveProperty(name!);
  });

  it('links to files that exist', () => {
    for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      expect(existsSync(join(root, target!)), target).toBe(true);
    }
  });
});

describe('README.md', () => {
  it('lists every column of every CSV file (npm run generate)', () => {
    const text = readFileSync(join(root, 'README.md'), 'utf8');
    for (const [file, columns] of Object.entries(CSV_COLUMNS)) {
      expect(text).toContain(`Columns of ${file}`);
      for (const { name, description } of columns) expect(text).toContain(`| \`${name}\` | ${description} |`);
    }
  });
});

describe('CONTRIBUTING.md', () => {
  const text = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');

  it('has every folder of src on its map', () => {
    for (const { name } of readdirSync(join(root, 'src'), { withFileTypes: true })) {
      const path = name.endsWith('.ts') ? `src/${name}` : `src/${name}/`;
      expect(text, path).toContain(`\`${path}\``);
    }
  });

  it('has every folder of runners that it tells to add a family to', () => {
    const families = join(root, 'runners/ortbench_runners/prepare/families');
    expect(readdirSync(families).filter((name) => /^[a-z]\w+\.py$/.test(name)).length).toBeGreaterThan(1);
  });
});
