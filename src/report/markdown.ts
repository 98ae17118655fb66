/** Text from records (titles, reasons, versions) as inert Markdown: no markup, links, mentions, HTML or line breaks. */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '@': '&#64;',
  $: '&#36;',
};

/** Longest text of a record that a report shows; the whole of it is in the CSV. */
const LONGEST = 300;

/**
 * One line without control, format and bidirectional characters: what can be shown anywhere.
 * @param longest characters kept, an ellipsis included.
 */
export function oneLine(text: string, longest: number = LONGEST): string {
  const clean = text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replace(/[\p{Cf}\p{Cs}\p{Co}]/gu, '')
    .trim();
  const characters = [...clean];
  return characters.length <= longest ? clean : `${characters.slice(0, longest - 1).join('')}…`;
}

/** Any ASCII punctuation may be escaped in CommonMark; only what can start markup is, to stay readable as text. */
export const escapeMarkdown = (text: string, longest: number = LONGEST): string =>
  oneLine(text, longest)
    .replace(/[\\`*_[\]|~#!{}]/g, '\\$&')
    // At the beginning of a line, or of an item of a list, these begin a list of their own.
    .replace(/^[-+](?=\s|$)/, '\\$&')
    .replace(/^(\d+)(?=[.)](?:\s|$))/, '$1\\')
    .replace(/[&<>@$]/g, (character) => ENTITIES[character] ?? character)
    // GitHub makes links of bare addresses.
    .replace(/:(?=\/\/)/g, '&#58;')
    .replace(/(?<=\bwww)\./gi, '&#46;');

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
