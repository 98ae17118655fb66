import {
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InfrastructureError } from '../../src/errors.ts';
import { type ArtefactFile, readArtefactFile } from '../../src/models/artefact-file.ts';
import {
  cacheUsage,
  ensureEntry,
  entryDir,
  entryState,
  type ListedFile,
  requireRoom,
} from '../../src/models/cache.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ortbench-cache-'));
  vi.stubEnv('ORTBENCH_CACHE', root);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true, force: true });
});

const describeFiles = (files: readonly ListedFile[]): ArtefactFile => ({
  format: 1,
  model: 'm',
  origin: 'o',
  kind: 'gguf',
  precision: 'fp32',
  device: null,
  recipeSha256: 'r',
  recipe: {},
  checkpointSha256: null,
  facts: {},
  files: [...files],
  bytes: files.reduce((sum, file) => sum + file.bytes, 0),
  sha256: 's',
});

async function fill(dir: string): Promise<void> {
  await mkdir(join(dir, 'sub'));
  await writeFile(join(dir, 'sub', 'a'), 'hello');
  await writeFile(join(dir, 'b'), 'x');
}

const ensure = (options = {}, make = fill) => ensureEntry('entry', make, describeFiles, options);

describe('ensureEntry', () => {
  it('makes an entry once, with sizes and hashes of its files', async () => {
    const { file, made } = await ensure();
    expect(made).toBe(true);
    expect(file.files.map(({ path, bytes }) => [path, bytes])).toEqual([
      ['b', 1],
      ['sub/a', 5],
    ]);
    expect(file.files[1]!.sha256).toBe('2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824');
    const again = await ensure({}, () => expect.unreachable());
    expect(again).toEqual({ file, made: false });
    expect(await readdir(join(root, 'artefacts'))).toEqual(['entry']);
  });

  it('is made once when two ask at the same time', async () => {
    let makes = 0;
    const slow = async (dir: string) => {
      makes++;
      await new Promise((resolve) => setTimeout(resolve, 100));
      await fill(dir);
    };
    const messages: string[] = [];
    const options = { onProgress: (line: string) => messages.push(line) };
    const results = await Promise.all([ensure(options, slow), ensure(options, slow)]);
    expect(makes).toBe(1);
    expect(results.map(({ made }) => made).sort()).toEqual([false, true]);
    expect(messages.join()).toContain('waiting for process');
  });

  it('leaves nothing behind when making fails, and says when the disk is full', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    const attempt = ensure({}, async (dir) => {
      await fill(dir);
      throw full;
    });
    await expect(attempt).rejects.toThrow(InfrastructureError);
    expect(await readdir(join(root, 'artefacts'))).toEqual([]);
    await expect(ensure({}, () => Promise.reject(new Error('other')))).rejects.toThrow('other');
  });

  it('replaces with force, but not when the new one fails', async () => {
    await ensure();
    const write = (text: string) => (dir: string) => writeFile(join(dir, 'b'), text);
    await expect(ensure({ force: true }, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect((await ensure()).file.files).toHaveLength(2);
    await ensure({ force: true }, write('new'));
    expect(await readFile(join(entryDir('entry'), 'b'), 'utf8')).toBe('new');
    expect(await readdir(join(root, 'artefacts'))).toEqual(['entry']);
  });

  it.each([
    ['a file is missing', (dir: string) => rm(join(dir, 'sub', 'a'))],
    ['a file was cut', (dir: string) => writeFile(join(dir, 'sub', 'a'), 'hell')],
    ['its description is torn', (dir: string) => writeFile(join(dir, 'artefact.json'), '{"format":')],
    ['its description is missing', (dir: string) => rm(join(dir, 'artefact.json'))],
  ])('makes an entry again when %s', async (_what, damage) => {
    await ensure();
    await damage(entryDir('entry'));
    expect(await readArtefactFile(entryDir('entry'))).toBeNull();
    expect((await ensure()).made).toBe(true);
    expect(await readArtefactFile(entryDir('entry'))).not.toBeNull();
  });

  it('reads files again only when they may have changed', async () => {
    const lines: string[] = [];
    const again = () =>
      ensure({ onProgress: (line: string) => lines.push(line) }, () => expect.unreachable());
    await ensure();
    await again();
    expect(lines).toEqual([]);
    const path = join(entryDir('entry'), 'sub', 'a');
    await utimes(path, new Date(), new Date(Date.now() + 5000));
    await again();
    await again();
    expect(lines).toEqual(['verifying the fp32 gguf of m (0.000 MiB)']);
    // Moved away and back is another inode or another ctime; copied over is both.
    await copyFile(path, `${path}.copy`);
    await rename(`${path}.copy`, path);
    await again();
    expect(lines).toHaveLength(2);
    // As an earlier version left it, or torn.
    for (const damage of [rm, (file: string) => writeFile(file, '{"files":')]) {
      lines.length = 0;
      await damage(join(entryDir('entry'), 'verified.json'));
      await again();
      await again();
      expect(lines).toHaveLength(1);
    }
  });

  it('makes an entry again whose file was changed in place, and says which', async () => {
    const { file } = await ensure();
    const path = join(entryDir('entry'), 'sub', 'a');
    const { mtime } = await stat(path);
    await writeFile(path, 'hallo');
    await utimes(path, mtime, mtime);
    const state = await entryState('entry');
    expect(state).toEqual({ file, changed: ['sub/a'] });
    const warnings: string[] = [];
    const { made } = await ensure({ onWarning: (line: string) => warnings.push(line) });
    expect(made).toBe(true);
    expect(warnings).toEqual([
      'the fp32 gguf of m in the cache is not what was made (sub/a changed): it is made anew',
    ]);
    expect(await readFile(path, 'utf8')).toBe('hello');
    expect(await entryState('entry')).toEqual({ file, changed: [] });
  });

  it('clears away what a killed process left of this entry, and of no other', async () => {
    for (const name of ['.entry.99.tmp', '.entry.99.old', '.entry-2.99.tmp'])
      await mkdir(join(root, 'artefacts', name), { recursive: true });
    await ensure();
    expect(await readdir(join(root, 'artefacts'))).toEqual(['.entry-2.99.tmp', 'entry']);
  });
});

describe('cacheUsage', () => {
  it('adds up what is there', async () => {
    expect(await cacheUsage()).toMatchObject({ bytes: 0, artefacts: [] });
    await ensure();
    expect(await cacheUsage()).toEqual({
      root: join(root, 'artefacts'),
      bytes: 6,
      artefacts: [
        { model: 'm', kind: 'gguf', precision: 'fp32', device: null, bytes: 6, dir: entryDir('entry') },
      ],
    });
  });
});

describe('requireRoom', () => {
  it('refuses what no disk can hold, before it is made', async () => {
    await requireRoom(1, 'a byte');
    await expect(requireRoom(2 ** 60, 'the moon')).rejects.toMatchObject({
      message: expect.stringContaining('the moon needs 1073741824.0 GiB'),
      hint: expect.stringContaining('ORTBENCH_CACHE'),
    });
  });
});
