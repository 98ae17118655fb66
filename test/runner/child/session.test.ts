import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { EngineError } from '../../../src/errors.ts';
import { ChildSession } from '../../../src/runner/child/session.ts';

const runner = fileURLToPath(new URL('../../fixtures/runners/misbehave.mjs', import.meta.url));
const limits = { readySeconds: 5, cellSeconds: 5, closeSeconds: 1 };
const request = {
  model: 'none',
  artefactDir: '/nowhere',
  precision: 'fp32',
  device: 'cpu',
  threads: 1,
  maxBatchSize: 1,
  maxSequenceLength: 8,
  options: {},
} as const;
const work = { prompts: [[1]], generate: 2, capacity: 3, measurePeakMemory: false };

let session: ChildSession | undefined;
const open = async (fault: string, within = limits) => {
  const command = { file: process.execPath, args: [runner, fault], env: { PATH: process.env.PATH ?? '' } };
  session = await ChildSession.open(command, request, within);
  return session;
};
const failureOf = async (fault: string, within = limits): Promise<EngineError> => {
  const opened = await open(fault, within);
  return opened.generate(work).then(
    () => expect.fail(`${fault} was not noticed`),
    (error) => error,
  );
};
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Processes of a group that still run; one that ended and waits to be collected by its parent does not. */
const livingInGroup = (group: number): string[] =>
  execFileSync('ps', ['-eo', 'pgid=,stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => Number(line.trim().split(/\s+/)[0]) === group && !/^\s*\d+\s+Z/.test(line));

afterEach(async () => {
  await session?.close();
  session = undefined;
});

describe('ChildSession', () => {
  it('loads, generates and closes', async () => {
    const opened = await open('none');
    expect(opened.loaded.versions).toEqual({ misbehave: '1' });
    const generation = await opened.generate(work);
    expect(generation.tokens).toEqual([[1, 2]]);
    await opened.close();
    expect(isAlive(opened.pid)).toBe(false);
  });

  it.each([
    ['exit-0', 'protocol-error', /without a result/],
    ['exit-3', 'crashed', /exit code 3.*the reason is written here/s],
    ['segfault', 'crashed', /SIGSEGV/],
    ['sigkill', 'killed', /nothing says by whom/],
    ['garbage', 'protocol-error', /not JSON/],
    ['long-line', 'protocol-error', /more than \d+ bytes/],
    ['nan', 'protocol-error', /not JSON/],
    ['negative', 'protocol-error', /prefillNs/],
    ['wrong-id', 'protocol-error', /not asked/],
    ['wrong-type', 'protocol-error', /"closed" where "generated"/],
    ['unknown-key', 'protocol-error', /bonus/],
  ])('turns %s into %s', async (fault, code, message) => {
    const error = await failureOf(fault);
    expect(error).toMatchObject({ name: 'EngineError', code, sessionLost: true });
    expect(error.message).toMatch(message);
  });

  it('ends a runner that hangs, within its time limit', async () => {
    const started = Date.now();
    const error = await failureOf('hang', { ...limits, cellSeconds: 0.3 });
    expect(error.code).toBe('timeout');
    await session?.close();
    expect(Date.now() - started).toBeLessThan(5_000);
  });

  it('tells whoever waits when it is killed', async () => {
    const opened = await open('hang');
    const waiting = opened.generate(work);
    setTimeout(() => opened.kill(), 50);
    await expect(waiting).rejects.toMatchObject({ code: 'killed', sessionLost: true });
  });

  it('has limits of their own for a hang at the start and at the end', async () => {
    await expect(open('hangs-at-start', { ...limits, readySeconds: 0.3 })).rejects.toMatchObject({
      code: 'timeout',
    });
    const slow = await open('hangs-at-close', { ...limits, closeSeconds: 0.3 });
    await slow.generate(work);
    await slow.close();
    expect(isAlive(slow.pid)).toBe(false);
  });

  it('refuses another protocol version', async () => {
    await expect(open('old-protocol')).rejects.toMatchObject({ code: 'protocol-error' });
  });

  it('kills a runner that ignores SIGTERM', async () => {
    const opened = await open('ignores-sigterm');
    const started = Date.now();
    const failing = opened.generate({ ...work }).catch(() => {});
    await failing;
    await opened.close();
    expect(isAlive(opened.pid)).toBe(false);
    expect(Date.now() - started).toBeLessThan(8_000);
  });

  it('ends grandchildren with the runner', async () => {
    const opened = await open('grandchild');
    const group = opened.pid;
    await opened.close();
    await sleep(50);
    expect(livingInGroup(group)).toEqual([]);
  });

  it('drains a flood on stderr', async () => {
    const opened = await open('stderr-flood');
    await expect(opened.generate(work)).resolves.toMatchObject({ prefillNs: 1000 });
  });

  it('keeps a character whole that two chunks share, and the session after an error message', async () => {
    const error = await failureOf('split-utf8');
    expect(error).toMatchObject({ code: 'failed', message: 'größer', sessionLost: false });
  });

  it('says so when the runner cannot be started', async () => {
    const command = { file: '/nowhere/to/be/found', args: [], env: {} };
    await expect(ChildSession.open(command, request, limits)).rejects.toMatchObject({ code: 'unavailable' });
  });
});
