import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { InfrastructureError } from '../errors.ts';
import { processStart } from './process-start.ts';

export interface Lock {
  readonly path: string;
  /** Ends the lock; harmless when called twice. */
  release(): Promise<void>;
}

export interface LockOptions {
  /** Wait for the holder to finish, or be refused at once. */
  readonly wait: boolean;
  /** Called once, with a sentence that names the holder, when waiting begins. */
  readonly onWait?: (message: string) => void;
  readonly signal?: AbortSignal;
}

const ownerSchema = z.object({
  pid: z.int().positive(),
  /** When that process started, so that a reused pid is not taken for the holder; null where it cannot be told. */
  start: z.string().nullable(),
  host: z.string(),
  token: z.string(),
});
type Owner = z.infer<typeof ownerSchema>;

const POLL_MS = 200;
/** A file that has no owner's name in it was left by a crash within a write; no write takes this long. */
const UNREADABLE_MS = 10_000;

/**
 * Takes the lock file at `path`, one holder at a time on this machine. The lock of a process that has ended is taken
 * over. Throws InfrastructureError naming the holder's pid when it is held and `wait` is false.
 */
export async function acquireLock(path: string, options: LockOptions): Promise<Lock> {
  await mkdir(dirname(path), { recursive: true });
  const own: Owner = {
    pid: process.pid,
    start: await processStart(process.pid),
    host: hostname(),
    token: randomUUID(),
  };
  for (let waiting = false; ; ) {
    options.signal?.throwIfAborted();
    if (await create(path, own)) {
      await removeDrafts(path);
      return { path, release: () => release(path, own) };
    }
    const owner = await readOwner(path);
    if (owner === 'gone') continue;
    if (owner === 'unreadable' ? await isOld(path) : await hasEnded(owner)) {
      await removeStale(path, owner);
      continue;
    }
    if (!options.wait) throw heldError(path, owner);
    if (!waiting) options.onWait?.(`waiting for ${describe(owner)}, which holds ${path}`);
    waiting = true;
    await sleep(POLL_MS, undefined, { signal: options.signal });
  }
}

/** Creates the lock with its content in one step, so that nobody reads a half-written one. */
async function create(path: string, owner: Owner): Promise<boolean> {
  const draft = `${path}.${owner.token}`;
  const content = JSON.stringify(owner);
  await writeFile(draft, content, { flag: 'wx' });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    // Some file systems have no hard links.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
    return await writeFile(path, content, { flag: 'wx' }).then(
      () => true,
      (cause: NodeJS.ErrnoException) => {
        if (cause.code === 'EEXIST') return false;
        throw cause;
      },
    );
  } finally {
    await rm(draft, { force: true });
  }
}

/** What a process left that was killed while it asked for this lock. */
async function removeDrafts(path: string): Promise<void> {
  const prefix = `${basename(path)}.`;
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(prefix) || !/^[0-9a-f-]{36}$/.test(name.slice(prefix.length))) continue;
    const draft = join(dirname(path), name);
    const owner = await readOwner(draft);
    if (owner === 'gone') continue;
    if (owner === 'unreadable' ? await isOld(draft) : await hasEnded(owner)) await rm(draft, { force: true });
  }
}

async function readOwner(path: string): Promise<Owner | 'gone' | 'unreadable'> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return 'gone';
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return 'unreadable';
  }
}

async function hasEnded(owner: Owner): Promise<boolean> {
  // A process of another machine, or of another container, cannot be looked at from here.
  if (owner.host !== hostname()) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  const start = await processStart(owner.pid);
  return start !== null && owner.start !== null && start !== owner.start;
}

async function isOld(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found !== null && Date.now() - found.mtimeMs > UNREADABLE_MS;
}

/**
 * Two processes may find the same stale lock. Only the one that holds the guard removes it, and only after looking
 * again: without that, the slower one would remove the new lock of the faster one.
 */
async function removeStale(path: string, stale: Owner | 'unreadable'): Promise<void> {
  const guard = `${path}.recovery`;
  try {
    await writeFile(guard, '', { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (await isOld(guard)) await rm(guard, { force: true });
    await sleep(POLL_MS);
    return;
  }
  try {
    const now = await readOwner(path);
    const same =
      typeof now === 'object' && typeof stale === 'object' ? now.token === stale.token : now === stale;
    if (same) await rm(path, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

async function release(path: string, own: Owner): Promise<void> {
  const owner = await readOwner(path);
  if (typeof owner === 'object' && owner.token === own.token) await rm(path, { force: true });
}

function describe(owner: Owner | 'unreadable'): string {
  if (owner === 'unreadable') return 'another process';
  return owner.host === hostname() ? `process ${owner.pid}` : `process ${owner.pid} on ${owner.host}`;
}

function heldError(path: string, owner: Owner | 'unreadable'): InfrastructureError {
  const remote = typeof owner === 'object' && owner.host !== hostname();
  return new InfrastructureError(`${path} is held by ${describe(owner)}`, {
    hint: remote
      ? `wait for it to end; if that machine is gone, delete ${path}`
      : 'wait for it to end, or end it',
  });
}
