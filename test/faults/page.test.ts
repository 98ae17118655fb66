import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
/** Faults of the harness and its engines; hostile input. */
const PAGES = ['docs/faults.md', 'docs/hostile-input.md'];
const FAULTS = Array.from({ length: 32 }, (_, i) => i + 1);
const textOf = (page: string) => readFileSync(join(root, page), 'utf8');
/** Number and last column of each row that has a number. */
const rowsOf = (page: string) =>
  [...textOf(page).matchAll(/^\| (\d+) \|.*\| ([^|]*) \|$/gm)].map(([, number, tests]) => ({
    number: Number(number),
    tests: [...tests!.matchAll(/`([^`]+)`/g)].map((match) => match[1]!),
  }));

it.each(PAGES)('every numbered row of %s names tests that exist', (page) => {
  const rows = rowsOf(page);
  expect(rows.length).toBeGreaterThan(5);
  for (const { number, tests } of rows) {
    expect(tests.length, String(number)).toBeGreaterThan(0);
    for (const file of tests) expect(existsSync(join(root, file)), file).toBe(true);
  }
});

it('the pages have all 32 faults between them, each shown by a test of the suite that bears its number', () => {
  const rows = PAGES.flatMap(rowsOf);
  expect([...new Set(rows.map(({ number }) => number))].sort((a, b) => a - b)).toEqual(FAULTS);
  for (const fault of FAULTS) {
    const tests = rows.filter(({ number }) => number === fault).flatMap((row) => row.tests);
    const ranges = tests.map((file) => /^test\/faults\/(\d+)(?:-(\d+))?-/.exec(file));
    const shown = ranges.some((range) => range && +range[1]! <= fault && fault <= +(range[2] ?? range[1]!));
    expect(shown, String(fault)).toBe(true);
  }
});

it('every file of the fault suite is named on a page', () => {
  const pages = PAGES.map(textOf).join();
  for (const name of readdirSync(import.meta.dirname)) {
    if (/^\d.*\.test\.ts$/.test(name)) expect(pages).toContain(`test/faults/${name}`);
  }
});
