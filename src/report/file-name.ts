import { createHash } from 'node:crypto';

/** Characters that every file system and every URL take as they are. */
const PLAIN = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
const LONGEST = 60;

/**
 * A part of a file name from any text. Plain names stay as they are; of others the plain characters are kept and a hash
 * of the whole is added (of its code units: in UTF-8 all lone surrogates are one), so that two different names never meet in one file, whatever the file system thinks of case.
 */
export function slug(text: string): string {
  if (text.length <= LONGEST && PLAIN.test(text)) return text;
  const kept = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-+|-+$/g, '');
  const hash = createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('hex').slice(0, 8);
  return kept === '' ? hash : `${kept}-${hash}`;
}

export const fileStem = (parts: readonly string[]): string => parts.map(slug).join('-');
