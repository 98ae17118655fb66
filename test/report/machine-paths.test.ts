import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { rawRecords } from '../../src/report/html/raw.ts';
import { withoutMachinePaths } from '../../src/report/machine-paths.ts';
import { writeReport } from '../../src/report/write.ts';
import { makeInput, makeRun } from './fixtures.ts';

test.each([
  ['cannot read /home/ann/models/x.onnx', 'cannot read …/x.onnx'],
  ['"/opt/llama.cpp/lib/libllama.so": no such file', '"…/libllama.so": no such file'],
  ['C:\\Users\\Ann\\x.gguf is torn', '…/x.gguf is torn'],
  ['in /tmp/a/', 'in …/a'],
  ['12 tokens/s over the baseline', '12 tokens/s over the baseline'],
  ['see https://host/page/x', 'see https://host/page/x'],
  ['../relative/path and a/b/c and /x', '../relative/path and a/b/c and /x'],
])('%j → %j', (text, expected) => {
  expect(withoutMachinePaths(text)).toBe(expected);
});

test('no file of a report names a folder of the machine', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ortbench-paths-'));
  const path = '/home/ann/secret/model.onnx';
  try {
    const input = makeInput({
      generate: 4,
      rounds: 1,
      fault: ({ engine }) =>
        engine === 'llamacpp' ? { status: 'failed', reason: `cannot read ${path}` } : null,
      edit: (record) =>
        record.kind === 'session'
          ? {
              ...record,
              versions: { library: path },
              effective: { library: path, slowBuild: `slow: ${path}` },
            }
          : record,
    });
    const { files } = await writeReport(input, folder, { formats: ['csv', 'md', 'html', 'svg'] });
    for (const file of files)
      expect(await readFile(join(folder, file), 'utf8'), file).not.toContain('/home/ann');
    expect(await readFile(join(folder, 'headline.md'), 'utf8')).toContain('cannot read …/model.onnx');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('nor do the records that a reader downloads, read again from where they are stored', async () => {
  const path = '/home/ann/secret/model.onnx';
  const { manifest, records } = makeRun({
    generate: 4,
    rounds: 1,
    edit: (record) => (record.kind === 'session' ? { ...record, effective: { library: path } } : record),
  });
  const raw = async (visit: (json: string) => void | Promise<void>) => {
    for (const record of records) await visit(JSON.stringify(record));
  };
  const made = await rawRecords([{ manifest, records: [], interrupted: false, raw }]);
  if (made.kind !== 'inline') throw new Error('so few records lie within the page');
  const text = gunzipSync(Buffer.from(made.base64, 'base64')).toString();
  expect(text.trimEnd().split('\n')).toHaveLength(records.length + 1);
  expect(text).toContain('…/model.onnx');
  expect(text).not.toContain('/home/ann');
});
