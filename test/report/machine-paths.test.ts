import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withoutMachinePaths } from '../../src/report/machine-paths.ts';
import { writeReport } from '../../src/report/write.ts';
import { makeInput } from './fixtures.ts';

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
