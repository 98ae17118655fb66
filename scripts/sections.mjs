// Pages of docs whose figures are made by a command: between `<!-- NAME -->` and `<!-- /NAME -->` lie sections, of which a run
// replaces its own and keeps the others.
import { readFileSync, writeFileSync } from 'node:fs';
import { replaceMarked } from './marked.mjs';

/**
 * @param page the file
 * @param name of the marks
 * @param texts new sections, each beginning with its heading (`## …` or `### …`, the same depth for all of the page)
 * @param keyOf heading → key: a new section takes the place of the one with its key
 */
export function writeSections(page, name, texts, keyOf = (heading) => heading) {
  const merged = (content) => {
    const all = new Map(
      [...sectionsOf(content), ...texts].map((text) => [keyOf(headingOf(text)), text.trim()]),
    );
    const sorted = [...all].sort(([a], [b]) => a.localeCompare(b, 'en')).map(([, text]) => text);
    return `\n\n${sorted.join('\n\n')}\n\n`;
  };
  writeFileSync(page, replaceMarked(readFileSync(page, 'utf8'), name, page, merged));
}

/** Parts of a text, each from a heading of the depth of its first to the next such. */
export function sectionsOf(text) {
  const depth = text.match(/^#+ /m)?.[0];
  if (depth === undefined) return [];
  return text
    .split(new RegExp(`^(?=${depth})`, 'm'))
    .filter((part) => part.startsWith(depth))
    .map((part) => part.trim());
}

const headingOf = (text) => text.match(/^#+ (.*)$/m)[1];
