import { stringify } from 'csv-stringify/sync';
import { AVERAGE_COLUMNS } from './columns/averages.ts';
import type { Column, CsvValue } from './columns/column.ts';
import { IMPORTED_COLUMNS } from './columns/imported.ts';
import { SAMPLE_COLUMNS, sampleRows } from './columns/samples.ts';
import { SPEEDUP_COLUMNS } from './columns/speedups.ts';
import { SUMMARY_COLUMNS } from './columns/summary.ts';
import type { Report } from './model.ts';

/**
 * Strings that a spreadsheet would run as a formula get an apostrophe before them (OWASP, "CSV Injection"); full-width
 * forms too, which some spreadsheets normalise. Numbers are never touched: -1.5 stays a number.
 */
export function neutralise(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: NUL ends the text for some readers, so it goes
  const clean = text.replace(/\u0000/g, '');
  return /^\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/.test(clean) ? `'${clean}` : clean;
}

/** Twelve digits: more than any clock gives, and 0.1 + 0.2 reads 0.3. */
function number(value: number): string {
  // Nanoseconds are whole, and most of what there is: nothing of theirs is to be rounded.
  if (Number.isInteger(value) && Math.abs(value) < 1e12) return String(value);
  return Number.isFinite(value) ? String(Number(value.toPrecision(12))) : '';
}

/** Rows turned to text at once: few enough to stay small, many enough to be quick. */
const BLOCK = 2000;

function field(value: CsvValue): string {
  if (value === null) return '';
  if (typeof value === 'number') return number(value);
  return typeof value === 'string' ? neutralise(value) : String(value);
}

/** Text in blocks, so that a report of many records never holds a whole file in memory. */
function* render<T>(columns: readonly Column<T>[], rows: Iterable<T>): Generator<string> {
  const text = (lines: string[][]) => stringify(lines, { record_delimiter: 'unix' });
  let block: string[][] = [columns.map(({ name }) => name)];
  for (const row of rows) {
    block.push(columns.map((column) => field(column.value(row))));
    if (block.length < BLOCK) continue;
    yield text(block);
    block = [];
  }
  if (block.length > 0) yield text(block);
}

function* flatten<A, B>(items: Iterable<A>, expand: (item: A) => Iterable<B>): Generator<B> {
  for (const item of items) yield* expand(item);
}

/** One row for every cell of the sweep, also those that could not run. */
export const summaryCsv = (report: Report): Iterable<string> => render(SUMMARY_COLUMNS, report.rows);

/** One row for every run of every round, raw nanoseconds included. */
export const samplesCsv = (report: Report): Iterable<string> =>
  render(SAMPLE_COLUMNS, flatten(report.rows, sampleRows));

/** One row for every cell, baseline and phase, also where there is no speedup. */
export const speedupsCsv = (report: Report): Iterable<string> => render(SPEEDUP_COLUMNS, report.speedups);

/** One row for every engine, precision, baseline and phase of a model. */
export const averagesCsv = (report: Report): Iterable<string> => render(AVERAGE_COLUMNS, report.averages);

/** One row for every figure of another tool and every measured cell that it can stand beside, or why there is none. */
export const importedCsv = (report: Report): Iterable<string> => render(IMPORTED_COLUMNS, report.imported);
