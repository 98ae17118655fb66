import Table from 'cli-table3';
import { oneLine } from '../markdown.ts';
import type { PublishedRow } from './model.ts';
import { claimText, intervalNote, measuredText, whatText } from './text.ts';

/** Narrower than this the columns would break words. */
const LEAST_WIDTH = 80;
const BORDERS = 13;

/** The same table for a terminal of `width` columns, every difference written out once below; '' without rows. */
export function publishedTable(rows: readonly PublishedRow[], width: number): string {
  const [first] = rows;
  if (first === undefined) return '';
  const room = Math.max(LEAST_WIDTH, width) - BORDERS;
  const share = (part: number) => Math.floor(room * part);
  const table = new Table({
    head: ['what', 'published', 'measured here', 'differs'],
    colWidths: [share(0.27), share(0.22), share(0.39), share(0.12)].map((columns) => columns + 2),
    wordWrap: true,
    style: { head: [], border: [] },
  });
  const numbers = new Map<string, number>();
  for (const row of rows) {
    const marks = row.differences.map(({ text }) => {
      if (!numbers.has(text)) numbers.set(text, numbers.size + 1);
      return String(numbers.get(text));
    });
    table.push(
      [whatText(row), claimText(row), measuredText(row), marks.join(' ')].map((text) => oneLine(text)),
    );
  }
  const { title, date } = first.source;
  const notes = [...numbers].map(([text, number]) => `  [${number}] ${oneLine(text)}`);
  return [`Published: ${oneLine(title)}, ${date}. ${intervalNote(rows)}`, table.toString(), ...notes].join(
    '\n',
  );
}
