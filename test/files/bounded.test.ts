import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBounded, UnreadableFile } from '../../src/files/bounded.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ortbench-bounded-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

test('a file of at most so many bytes is read whole, a longer one not at all', async () => {
  const path = join(dir, 'file');
  writeFileSync(path, 'x'.repeat(2 ** 20));
  expect((await readBounded(path, 2 ** 20)).length).toBe(2 ** 20);
  await expect(readBounded(path, 2 ** 20 - 1)).rejects.toThrow(UnreadableFile);
  writeFileSync(path, '');
  expect((await readBounded(path, 1)).length).toBe(0);
  await expect(readBounded(join(dir, 'absent'), 1)).rejects.toMatchObject({ code: 'ENOENT' });
});

test.skipIf(process.platform === 'win32')(
  'devices, links to them, pipes and folders are refused at once',
  async () => {
    symlinkSync('/dev/zero', join(dir, 'link'));
    execFileSync('mkfifo', [join(dir, 'pipe')]);
    for (const path of ['/dev/zero', join(dir, 'link'), join(dir, 'pipe'), dir]) {
      await expect(readBounded(path, 2 ** 20), path).rejects.toThrow(/is no regular file/);
    }
  },
);
