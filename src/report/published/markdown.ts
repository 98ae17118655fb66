import { groupBy } from '../group-by.ts';
import { escapeMarkdown as md, table } from '../markdown.ts';
import type { PublishedRow } from './model.ts';
import { claimText, intervalNote, measuredText, whatText } from './text.ts';

/** The section of headline.md; nothing where the sweep names no published figures. */
export function publishedSection(rows: readonly PublishedRow[]): string[] {
  const [first] = rows;
  if (first === undefined) return [];
  const { title, date } = first.source;
  return [
    '## Published beside measured',
    `Published: ${md(title)}, ${md(date)}. Measured: this run, and no more than it measured. ${intervalNote(rows)} Numbers in brackets name, below the table, what keeps the two from being like for like.`,
    ...tableWithNotes(rows),
  ];
}

/** The differences are the same for most rows: each is written once, below, under a number. */
function tableWithNotes(rows: readonly PublishedRow[]): string[] {
  const numbers = new Map<string, number>();
  const note = (text: string): number => {
    if (!numbers.has(text)) numbers.set(text, numbers.size + 1);
    return numbers.get(text)!;
  };
  const lines = [...groupBy(rows, ({ system }) => system.model).values()].flat().map((row) => {
    const marks = row.differences.map(({ text }) => `[${note(text)}]`).join(' ');
    return [md(whatText(row)), md(claimText(row)), md(measuredText(row)), marks === '' ? '' : md(marks)];
  });
  const notes = [...numbers].map(([text, number]) => `${number}. ${md(text)}`);
  return [
    table(['what', 'published', 'measured here', 'not like for like'], lines),
    ...(notes.length === 0 ? [] : [notes.join('\n')]),
  ];
}
