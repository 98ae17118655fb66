import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InfrastructureError } from '../../src/errors.ts';
import { acquireLock } from '../../src/files/lock.ts';
import { processStart } from '../../src/files/process-start.ts';

const builtLock = new URL('../../dist/files/lock.js', import.meta.url);

let dir: string;
let path: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ortbench-lock-'));
  path = join(dir, 'lock');
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(dir, { recursive: true, force: true });
});

/** A process that lives until it is killed. */
async function sleeper(): Promise<ChildProcess & { pid: number }> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log("up")']);
  children.push(child);
  await once(child.stdout!, 'data');
  return child as ChildProcess & { pid: number };
}

async function writeOwner(owner: Record<string, unknown>): Promise<void> {
  await writeFile(path, JSON.stringify({ start: null, host: hostname(), token: 'other', ...owner }));
}

async function heldBy(child: ChildProcess & { pid: number }): Promise<void> {
  await writeOwner({ pid: child.pid, start: await processStart(child.pid) });
}

describe('acquireLock', () => {
  it('is taken, refused while held, and free again after release', async () => {
    const lock = await acquireLock(path, { wait: false });
    await expect(acquireLock(path, { wait: false })).rejects.toThrow(`held by process ${process.pid}`);
    await lock.release();
    await lock.release();
    const again = await acquireLock(path, { wait: false });
    await again.release();
    expect(await readdir(dir)).toEqual([]);
  });

  it('makes the folder it lies in', async () => {
    const lock = await acquireLock(join(dir, 'deep', 'er', 'lock'), { wait: false });
    await lock.release();
  });

  it('names the pid of another process that holds it, as a fault of the machine', async () => {
    const child = await sleeper();
    await heldBy(child);
    const refused = acquireLock(path, { wait: false });
    await expect(refused).rejects.toThrow(InfrastructureError);
    await expect(refused).rejects.toThrow(`${path} is held by process ${child.pid}`);
  });

  it('takes over from a process that has ended', async () => {
    const child = await sleeper();
    await heldBy(child);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const lock = await acquireLock(path, { wait: false });
    expect(JSON.parse(await readFile(path, 'utf8')).pid).toBe(process.pid);
    await lock.release();
    expect(await readdir(dir)).toEqual([]);
  });

  it.runIf(process.platform !== 'win32')('takes over when the pid belongs to a newer process', async () => {
    const child = await sleeper();
    await writeOwner({ pid: child.pid, start: 'an earlier boot' });
    await (await acquireLock(path, { wait: false })).release();
  });

  it('leaves the lock of another machine alone, and says what to do', async () => {
    await writeOwner({ pid: 1, host: 'elsewhere' });
    await expect(acquireLock(path, { wait: false })).rejects.toMatchObject({
      message: `${path} is held by process 1 on elsewhere`,
      hint: expect.stringContaining(`delete ${path}`),
    });
  });

  it('takes over a file without an owner only when no write can still be under way', async () => {
    await writeFile(path, '');
    await expect(acquireLock(path, { wait: false })).rejects.toThrow('held by another process');
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(path, longAgo, longAgo);
    await (await acquireLock(path, { wait: false })).release();
  });

  it('survives a recovery that was killed half way', async () => {
    await writeOwner({ pid: 2 ** 22 + 1 });
    await writeFile(`${path}.recovery`, '');
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(`${path}.recovery`, longAgo, longAgo);
    await (await acquireLock(path, { wait: false })).release();
  });

  it('waits, says once for whom, and goes on when the holder is done', async () => {
    const first = await acquireLock(path, { wait: true });
    const messages: string[] = [];
    const second = acquireLock(path, { wait: true, onWait: (message) => messages.push(message) });
    await expect.poll(() => messages.length).toBe(1);
    await first.release();
    await (await second).release();
    expect(messages).toEqual([`waiting for process ${process.pid}, which holds ${path}`]);
  });

  it('stops waiting when told to', async () => {
    const lock = await acquireLock(path, { wait: false });
    const stop = new AbortController();
    const waiting = acquireLock(path, { wait: true, signal: stop.signal, onWait: () => stop.abort() });
    await expect(waiting).rejects.toThrow(/abort/i);
    await lock.release();
  });

  it('does not release what another process holds by now', async () => {
    const lock = await acquireLock(path, { wait: false });
    await writeOwner({ pid: 1 });
    await lock.release();
    expect(await readdir(dir)).toEqual(['lock']);
  });

  it('lets one of many processes at a time through a stale lock', async () => {
    await writeOwner({ pid: 2 ** 22 + 1 });
    const counter = join(dir, 'counter');
    await writeFile(counter, '0');
    // Read, pause, write: two at once would lose a count.
    const program = `
      import { readFile, writeFile } from 'node:fs/promises';
      import { acquireLock } from ${JSON.stringify(builtLock.href)};
      for (let i = 0; i < 5; i++) {
        const lock = await acquireLock(${JSON.stringify(path)}, { wait: true });
        const value = Number(await readFile(${JSON.stringify(counter)}, 'utf8'));
        await new Promise((resolve) => setTimeout(resolve, 5));
        await writeFile(${JSON.stringify(counter)}, String(value + 1));
        await lock.release();
      }`;
    const exits = Array.from({ length: 4 }, async () => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        cwd: fileURLToPath(new URL('../..', import.meta.url)),
        stdio: ['ignore', 'inherit', 'inherit'],
      });
      children.push(child);
      const [code] = await once(child, 'exit');
      return code as number;
    });
    expect(await Promise.all(exits)).toEqual([0, 0, 0, 0]);
    expect(await readFile(counter, 'utf8')).toBe('20');
  });
});

describe('processStart', () => {
  it.runIf(process.platform !== 'win32')('tells processes apart, and is the same each time', async () => {
    const child = await sleeper();
    const own = await processStart(process.pid);
    expect(own).not.toBeNull();
    expect(await processStart(process.pid)).toBe(own);
    expect(await processStart(child.pid)).not.toBe(own);
  });

  it('is null for a process that is not there', async () => {
    expect(await processStart(2 ** 22 + 1)).toBeNull();
  });
});
