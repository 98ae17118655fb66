import { files } from './files.mjs';
import { seeded } from './random.mjs';
import { strings } from './strings.mjs';

/** Another seed makes another corpus; this one is in the repository. */
const SEED = 20260301;

/** A line of JSON each: what has control characters and lone surrogates in it stays readable, and the same in git. */
export const STRINGS_FILE = 'strings.jsonl';

/** The whole corpus, by path below its folder. @returns {Map<string, Buffer>} */
export function generateCorpus(seed = SEED) {
  const random = seeded(seed);
  const lines = strings(random).map((entry) => `${JSON.stringify(entry)}\n`);
  return new Map([[STRINGS_FILE, Buffer.from(lines.join(''))], ...files(random)]);
}
