import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkExternalData } from '../../../src/engines/onnxruntime/externaldata.ts';

let root: string;
let model: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'ortbench-external-'));
  model = join(root, 'model');
  mkdirSync(join(model, 'genai'), { recursive: true });
  mkdirSync(join(root, 'model-2'));
  for (const file of ['model/a.data', 'model/genai/b.data', 'secret', 'model-2/c.data']) {
    writeFileSync(join(root, file), 'weights');
  }
  symlinkSync(join(root, 'secret'), join(model, 'out.data'));
  symlinkSync(join(root, 'model-2', 'c.data'), join(model, 'sibling.data'));
  symlinkSync(join(model, 'a.data'), join(model, 'in.data'));
});
afterAll(() => rmSync(root, { recursive: true }));

test('files in the model folder are allowed, also in a folder of it and through a link within it', () => {
  expect(() => checkExternalData(model, ['a.data', 'genai/b.data', './a.data', 'in.data'])).not.toThrow();
  expect(() => checkExternalData(join(root, 'absent'), [])).not.toThrow();
});

test('links of a hub cache to its blobs are allowed, and to nothing else', () => {
  const repo = join(root, 'models--a--b');
  const snapshot = join(repo, 'snapshots', '0123');
  mkdirSync(snapshot, { recursive: true });
  mkdirSync(join(repo, 'blobs'));
  writeFileSync(join(repo, 'blobs', 'cafe'), 'weights');
  symlinkSync('../../blobs/cafe', join(snapshot, 'model.data'));
  symlinkSync('../../../secret', join(snapshot, 'secret.data'));
  expect(() => checkExternalData(snapshot, ['model.data'])).not.toThrow();
  expect(() => checkExternalData(snapshot, ['secret.data'])).toThrow(/leaves the model folder/);
});

test.each([
  ['/etc/passwd', /absolute/],
  ['../secret', /leaves the model folder/],
  ['genai/../../secret', /leaves the model folder/],
  ['..\\secret', /leaves the model folder/],
  ['out.data', /link that leaves/],
  ['sibling.data', /link that leaves/],
  ['absent.data', /missing/],
  ['a.data\0', /NUL/],
  ['', /leaves|missing/],
])('%j is refused', (location, message) => {
  expect(() => checkExternalData(model, [location])).toThrow(
    expect.objectContaining({ code: 'failed', message: expect.stringMatching(message) }),
  );
});
