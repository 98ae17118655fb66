import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/faults.md'), 'utf8');

it('every row of docs/faults.md names tests that exist, and the faults are all there', () => {
  const rows = [...page.matchAll(/^\| (\d+) \|.*\| (`test\/.*) \|$/gm)];
  for (const [row, , tests] of rows) {
    const files = [...tests!.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);
    expect(files.length, row).toBeGreaterThan(0);
    for (const file of files) expect(existsSync(join(root, file)), file).toBe(true);
  }
  const numbers = new Set(rows.map(([, number]) => Number(number)));
  // 24 to 27 and 29 to 31 are hostile input, with tests and a page of their own.
  for (let fault = 1; fault <= 32; fault++) {
    const hostile = (fault >= 24 && fault <= 27) || (fault >= 29 && fault <= 31);
    if (!hostile) expect(numbers, String(fault)).toContain(fault);
  }
});

it('every file of the fault suite is named on a page', () => {
  const hostile = join(root, 'docs/hostile-input.md');
  const pages = page + (existsSync(hostile) ? readFileSync(hostile, 'utf8') : '');
  for (const name of readdirSync(import.meta.dirname)) {
    if (/^\d.*\.test\.ts$/.test(name)) expect(pages).toContain(`test/faults/${name}`);
  }
});
