import * as nodeFs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { InfrastructureError } from '../../src/errors.ts';
import { type PublishFs, publish } from '../../src/report/publish.ts';

let folder: string;
beforeEach(async () => {
  folder = join(await nodeFs.mkdtemp(join(tmpdir(), 'ortbench-publish-')), 'report');
});
afterEach(() => nodeFs.rm(join(folder, '..'), { recursive: true, force: true }));

const listing = async (): Promise<Record<string, string>> => {
  const entries = await nodeFs.readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(
      files.sort().map(async (file) => [file.slice(folder.length + 1), await nodeFs.readFile(file, 'utf8')]),
    ),
  );
};

const OLD = [
  { path: 'summary.csv', content: 'old' },
  { path: 'charts/a.png', content: 'old chart' },
];
const NEW = [
  { path: 'summary.csv', content: ['ne', 'w'] },
  { path: 'charts/b.png', content: Buffer.from('new chart') },
];

test('files, folders and an index are written; files of an earlier report that are no more are removed', async () => {
  expect(await publish(folder, OLD)).toEqual(['summary.csv', 'charts/a.png', 'report.json']);
  await nodeFs.writeFile(join(folder, 'notes.txt'), "the user's own");
  await publish(folder, NEW);
  const files = await listing();
  expect(Object.keys(files)).toEqual(['charts/b.png', 'notes.txt', 'report.json', 'summary.csv']);
  expect(files['summary.csv']).toBe('new');
  expect(JSON.parse(files['report.json']!)).toEqual({
    format: 1,
    files: [
      { path: 'summary.csv', sha256: '11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437' },
      { path: 'charts/b.png', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ],
  });
});

test('an index from elsewhere cannot have other files removed', async () => {
  await publish(folder, OLD);
  const outside = join(folder, '..', 'precious');
  await nodeFs.writeFile(outside, 'kept');
  const paths = ['../precious', outside, 'charts/../../precious', '.hidden'];
  await nodeFs.writeFile(
    join(folder, 'report.json'),
    JSON.stringify({ files: paths.map((path) => ({ path })) }),
  );
  await publish(folder, NEW);
  expect(await nodeFs.readFile(outside, 'utf8')).toBe('kept');
  await nodeFs.writeFile(join(folder, 'report.json'), 'not JSON');
  await publish(folder, NEW);
  expect((await listing())['summary.csv']).toBe('new');
});

/** A disk that fails at its n-th operation. */
function failing(n: number): { fs: PublishFs; reached: () => boolean } {
  let operations = 0;
  const step = () => {
    operations++;
    if (operations === n)
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  };
  const counted =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      step();
      return call(...args);
    };
  const fs = {
    mkdir: counted(nodeFs.mkdir as (...args: never[]) => Promise<unknown>),
    rename: counted(nodeFs.rename),
    readFile: counted(nodeFs.readFile as (...args: never[]) => Promise<unknown>),
    link: counted(nodeFs.link),
    copyFile: counted(nodeFs.copyFile),
    // The removal of the temporary folder is best effort; that of an old chart is not.
    rm: (...args: Parameters<typeof nodeFs.rm>) =>
      args[1]?.recursive ? nodeFs.rm(...args) : counted(nodeFs.rm)(...args),
    open: async (...args: Parameters<typeof nodeFs.open>) => {
      step();
      const file = await nodeFs.open(...args);
      return {
        writeFile: counted((data: string | Uint8Array) => file.writeFile(data)),
        sync: counted(() => file.sync()),
        close: () => file.close(),
      };
    },
  };
  return { fs: fs as unknown as PublishFs, reached: () => operations >= n };
}

test('whatever operation fails: an error that says so, the earlier report whole, nothing temporary left', async () => {
  await publish(folder, OLD);
  const before = await listing();
  let failures = 0;
  for (let n = 1; ; n++) {
    const { fs, reached } = failing(n);
    const result = await publish(folder, NEW, fs).catch((error: unknown) => error);
    if (!reached()) break;
    failures++;
    expect(result, `operation ${n}`).toBeInstanceOf(InfrastructureError);
    expect((result as Error).message).toContain('ENOSPC');
    expect(await listing(), `operation ${n}`).toEqual(before);
  }
  expect(failures).toBeGreaterThan(25);
  expect(await listing()).not.toEqual(before);
});

test('a file system without links', async () => {
  await publish(folder, OLD);
  const link = () => Promise.reject(Object.assign(new Error('no links here'), { code: 'EPERM' }));
  const rename: typeof nodeFs.rename = (from, to) =>
    String(to).endsWith('b.png') ? Promise.reject(new Error('EIO')) : nodeFs.rename(from, to);
  await expect(publish(folder, NEW, { ...nodeFs, link, rename })).rejects.toThrow('EIO');
  expect((await listing())['summary.csv']).toBe('old');
  await publish(folder, NEW, { ...nodeFs, link });
  expect((await listing())['summary.csv']).toBe('new');
});

test('while files are being made, the earlier report is whole', async () => {
  await publish(folder, OLD);
  const before = await listing();
  function* breaking() {
    yield NEW[0]!;
    throw new Error('cannot draw');
  }
  await expect(publish(folder, breaking())).rejects.toThrow(/cannot draw/);
  expect(await listing()).toEqual(before);
});

test('a file in place of the folder is an error that names it', async () => {
  await nodeFs.writeFile(folder, '');
  await expect(publish(folder, OLD)).rejects.toThrow(folder);
});
