import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { SCENARIOS } from '../../src/validate/figures.ts';
import { figureLine, type Proof, proofTable, withProof } from '../../src/validate/table.ts';

const docs = fileURLToPath(new URL('../../docs/', import.meta.url));
const committed: Proof = JSON.parse(readFileSync(`${docs}statistics.json`, 'utf8'));

test('the committed figures are those of 10,000 nights, of every scenario, and all of them hold', () => {
  const names = (all: readonly { claim: string; variant: string }[]) =>
    all.map(({ claim, variant }) => `${claim}: ${variant}`);
  expect(names(committed.figures)).toEqual(names(SCENARIOS));
  expect(committed.nights).toBeGreaterThanOrEqual(10_000);
  expect(committed.holds).toBe(true);
  expect(committed.figures.filter(({ holds }) => !holds)).toEqual([]);
});

test('the table of docs/gate.md is made from them', () => {
  const page = readFileSync(`${docs}gate.md`, 'utf8');
  expect(withProof(page, committed)).toBe(page);
  expect(page).toContain(`Computed on ${committed.date}`);
  expect(() => withProof('no place', committed)).toThrow('statistics');
});

test('variants of one claim share a line, and a figure that fails says so', () => {
  const figure = { claim: 'found', unit: 'share', trials: 50, meanPairs: 12 } as const;
  const figures = [
    { ...figure, variant: 'a', value: 0.961, atLeast: 0.95, atMost: null, holds: true },
    { ...figure, variant: 'b', value: 0.9, atLeast: 0.95, atMost: null, holds: false },
  ];
  const table = proofTable({ date: '2026-01-31', nights: 10_000, holds: false, figures });
  expect(table).toContain('Computed on 2026-01-31 from 10,000 nights');
  expect(table).toContain('| found: a · b | ≥ 95 % | 96.1 % · 90 % |');
  expect(figureLine(figures[1]!)).toBe('FAILS  found, b: 90 % (≥ 95 %) of 50, 12.0 pairs on average');
});
