// `npm run generate:corpus`: writes the hostile strings and files that tests read into test/corpus/data. The same seed
// makes the same bytes on every machine; a test compares them with what is committed.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateCorpus } from '../test/corpus/generator.mjs';

const root = fileURLToPath(new URL('../test/corpus/data', import.meta.url));
rmSync(root, { recursive: true, force: true });
const corpus = generateCorpus();
for (const [path, bytes] of corpus) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), bytes);
}
console.log(`${corpus.size} files`);
