// Writes the JSON Schemas that editors and the Python runners use, from the zod schemas of the built dist/.
// `--check` writes nothing and fails when a committed file is out of date.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const { jsonSchemaFiles } = await import('../dist/config/json-schemas.js');
const root = fileURLToPath(new URL('..', import.meta.url));
const check = process.argv.includes('--check');
for (const [path, content] of Object.entries(await jsonSchemaFiles())) {
  if (!check) await writeFile(root + path, content);
  else if ((await readFile(root + path, 'utf8').catch(() => '')) !== content) {
    console.error(`${path} is out of date: npm run build && node scripts/generate-schemas.mjs`);
    process.exitCode = 1;
  }
}
