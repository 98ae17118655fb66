import { oneLine } from '../report/markdown.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text from records for SVG and HTML, between tags or in a quoted attribute: one line, nothing that is markup. */
export const escapeMarkup = (text: string): string =>
  oneLine(text, 2000).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
