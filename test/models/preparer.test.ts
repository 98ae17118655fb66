import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { EngineError, InfrastructureError, UserError } from '../../src/errors.ts';
import { callPreparer, endPreparer } from '../../src/models/preparer.ts';

const CANARY = 'hf_canary0123456789';
const reply = z.object({ ok: z.literal(true), verb: z.string(), request: z.unknown(), pid: z.int() });

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ortbench-preparer-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));
afterEach(async () => {
  await endPreparer();
  vi.unstubAllEnvs();
});

/** Stands in for Python: a program that runs `body` for each line, as `verb` and `request`. */
async function preparerDoes(body: string): Promise<void> {
  const file = join(dir, 'python');
  const program = `#!${process.execPath}
    const answer = (value) => console.log(JSON.stringify(value));
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const { verb, request } = JSON.parse(line);
      ${body}
    });`;
  await writeFile(file, program);
  await chmod(file, 0o755);
  vi.stubEnv('ORTBENCH_PYTHON', file);
}

const call = (options = {}) => callPreparer('onnx', { precision: 'fp32' }, reply, options);
const failure = (code: string, message: string, hint: string | null = null) =>
  `answer({ ok: false, code: ${JSON.stringify(code)}, message: ${JSON.stringify(message)}, hint: ${JSON.stringify(hint)} })`;

describe.skipIf(process.platform === 'win32')('callPreparer', () => {
  it('passes the verb and the request, and reports progress apart from the chatter of libraries', async () => {
    await preparerDoes(
      "console.error('ortbench: building'); console.error('warning: x'); answer({ ok: true, verb, request, pid: process.pid })",
    );
    const lines: string[] = [];
    const first = await call({ onProgress: (line: string) => lines.push(line) });
    expect(first).toMatchObject({ ok: true, verb: 'onnx', request: { precision: 'fp32' } });
    expect(lines).toEqual(['building']);
  });

  it("gives a user's mistake its hint", async () => {
    await preparerDoes(failure('user', 'no such folder', 'make one'));
    const error = await call().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ message: 'no such folder', hint: 'make one' });
  });

  it.each(['unsupported', 'unavailable', 'failed'])('makes %s the code of an engine error', async (code) => {
    await preparerDoes(failure(code, 'cannot', 'try another'));
    const error = await call().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({ code, message: 'cannot (try another)' });
  });

  it('blames a full disk on the machine', async () => {
    await preparerDoes(failure('no-space', 'the disk is full'));
    await expect(call()).rejects.toThrow(InfrastructureError);
  });

  it('shows the last lines of a crash, without any token', async () => {
    vi.stubEnv('HF_TOKEN', 'plain-canary');
    await preparerDoes(
      `for (let i = 0; i < 50; i++) console.error('line ' + i);
       console.error('GET https://user:${CANARY}@hub/x plain-canary ${CANARY}'); process.exit(3)`,
    );
    const error = (await call().catch((reason: unknown) => reason)) as EngineError;
    expect(error).toBeInstanceOf(EngineError);
    expect(error.code).toBe('failed');
    expect(error.message).toContain('exit code 3');
    expect(error.message).toContain('line 49');
    expect(error.message).not.toContain('line 30');
    expect(error.message).not.toContain('canary');
  });

  it('names the signal that killed it', async () => {
    await preparerDoes("process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000)");
    await expect(call()).rejects.toThrow('preparing failed (SIGKILL)');
  });

  it.each([
    ['no reply', 'process.exit(0)', 'exit code 0'],
    ['no JSON', "console.log('hello')", 'something else than JSON'],
    ['another reply', 'answer({ ok: true })', 'no reply that is understood'],
  ])('takes %s for a defect', async (_what, body, message) => {
    await preparerDoes(body);
    await expect(call()).rejects.toMatchObject({ code: 'failed', message: expect.stringContaining(message) });
  });

  it('answers a row of calls from one process, one at a time, and starts another after a crash', async () => {
    await preparerDoes(
      'if (globalThis.busy) process.exit(9); globalThis.busy = true; setTimeout(() => { globalThis.busy = false; answer({ ok: true, verb, request, pid: process.pid }) }, 50)',
    );
    const pids = (await Promise.all([call(), call(), call()])).map(({ pid }) => pid);
    expect(new Set(pids).size).toBe(1);
    process.kill(pids[0]!, 'SIGKILL');
    await expect.poll(async () => (await call().catch(() => null))?.pid).not.toBe(pids[0]);
  });

  it('ends with the signal that cancels it', async () => {
    await preparerDoes("console.error('ortbench: up'); setInterval(() => {}, 1000)");
    const stop = new AbortController();
    const reason = new Error('interrupted');
    const calling = call({ signal: stop.signal, onProgress: () => stop.abort(reason) });
    await expect(calling).rejects.toBe(reason);
  });
});
