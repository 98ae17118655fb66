import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { allFiles, corpusRoot, HOSTILE_STRINGS } from './corpus.ts';
import { generateCorpus } from './generator.mjs';

test('the generator makes exactly the corpus that is committed (npm run generate:corpus)', () => {
  const made = generateCorpus();
  expect([...made.keys()].sort()).toEqual(allFiles());
  for (const [path, bytes] of made)
    expect(readFileSync(join(corpusRoot, path)).equals(bytes), path).toBe(true);
});

test('another seed makes other strings and files', () => {
  const [one, other] = [generateCorpus(1), generateCorpus(2)];
  const changed = [...one].filter(([path, bytes]) => !other.get(path)?.equals(bytes));
  expect(changed.length).toBeGreaterThan(10);
});

test('it holds hundreds of strings and files, each once and small', () => {
  expect(HOSTILE_STRINGS.length).toBeGreaterThan(300);
  expect(new Set(HOSTILE_STRINGS).size).toBe(HOSTILE_STRINGS.length);
  expect(allFiles().length).toBeGreaterThan(250);
  for (const [path, bytes] of generateCorpus()) expect(bytes.length, path).toBeLessThan(100_000);
});
