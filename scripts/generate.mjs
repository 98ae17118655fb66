// Writes what is derived from the code: the JSON Schemas that editors and the Python runners use, and the README's list
// of CSV columns. `--check` writes nothing and fails when a committed file is out of date. Works on the built dist/.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { replaceMarked } from './marked.mjs';

const { jsonSchemaFiles } = await import('../dist/config/json-schemas.js');
const { CSV_COLUMNS } = await import('../dist/report/columns/index.js');
const root = fileURLToPath(new URL('..', import.meta.url));
const check = process.argv.includes('--check');

function columnLists() {
  return Object.entries(CSV_COLUMNS)
    .map(([file, columns]) => {
      const rows = columns.map(
        ({ name, description }) => `| \`${name}\` | ${description.replaceAll('|', '\\|')} |`,
      );
      return `<details><summary>Columns of ${file}</summary>\n\n| column | meaning |\n|---|---|\n${rows.join('\n')}\n\n</details>`;
    })
    .join('\n\n');
}

const readme = await readFile(`${root}README.md`, 'utf8');
const files = {
  ...(await jsonSchemaFiles()),
  'README.md': replaceMarked(readme, 'columns', 'README.md', () => `\n${columnLists()}\n`),
};
for (const [path, content] of Object.entries(files)) {
  const before = await readFile(root + path, 'utf8').catch(() => '');
  if (before === content) continue;
  if (!check) await writeFile(root + path, content);
  else {
    console.error(`${path} is out of date: npm run generate`);
    process.exitCode = 1;
  }
}
