// What outlives a run: its records, a line each, and the tables of docs/parity.md.
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { replaceMarked } from '../marked.mjs';

/** Records of an earlier run; none where the file is not there yet. */
export async function readRecords(file) {
  const text = await readFile(file, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

export const appendRecords = (file, records) =>
  appendFile(file, records.map((record) => `${JSON.stringify(record)}\n`).join(''));

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->`. */
export async function writeTables(page, sections) {
  let text = await readFile(page, 'utf8');
  for (const [name, content] of Object.entries(sections))
    text = replaceMarked(text, name, page, () => `\n${content}\n`);
  await writeFile(page, text);
}
