import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { EngineError } from '../../src/errors.ts';
import { ChildSession } from '../../src/runner/child/session.ts';
import { outcomesOf, variant, Workplace } from '../fixtures/workplace.ts';

const ARGS = ['sweep', 'run.yaml', '--out', 'out', '--no-parity'];
const runner = fileURLToPath(new URL('../fixtures/runners/misbehave.mjs', import.meta.url));
const load = {
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
afterEach(async () => {
  await session?.close();
  session = undefined;
});

async function open(fault: string): Promise<ChildSession> {
  const command = { file: process.execPath, args: [runner, fault], env: { PATH: process.env.PATH ?? '' } };
  session = await ChildSession.open(command, load, { readySeconds: 10, cellSeconds: 30, closeSeconds: 1 });
  return session;
}

const failureOf = (call: Promise<unknown>): Promise<EngineError> =>
  call.then(
    () => expect.fail('the fault was not noticed'),
    (error) => error,
  );

describe.each(['process', 'in-process'])('engines run %s', (isolation) => {
  const inProcess = isolation === 'in-process';

  // In-process, it is the rehearsal in a process of its own that these limits end. A hang while closing, where nothing is
  // left to be lost, cannot be ended in the harness's own process, and is no fault of a cell.
  it('10: a hang while loading, in the middle and while closing has a time limit each', async () => {
    const place = new Workplace();
    place.config('run.yaml', {
      isolation,
      batchSizes: [1],
      engines: [
        variant('loading', { fault: 'load-hangs' }),
        variant('running', { fault: 'hang' }),
        ...(inProcess ? [] : [variant('closing', { fault: 'close-hangs' })]),
        variant('sound'),
      ],
      timeLimits: { readySeconds: 5, cellSeconds: 2, closeSeconds: 0.4 },
    });
    const { code, stderr } = await place.run(ARGS);
    expect(code, stderr).toBe(4);
    expect(await place.statuses()).toEqual({
      'loading/b1': 'timeout',
      'running/b1': 'timeout',
      // Its results were there before.
      ...(inProcess ? {} : { 'closing/b1': 'ok' }),
      'sound/b1': 'ok',
    });
    const { records } = await place.results();
    const reasons = outcomesOf(records).map(({ reason }) => reason);
    expect(reasons.join('\n')).toMatch(/more than 5 s to become ready/);
    expect(reasons.join('\n')).toMatch(/more than 2 s for "(?:prepare|generate)"/);
    await place.expectNothingLeft();
  });

  it('12, 13, 14: an allocation failure, a crash, a silent end are the rows of their cells; larger cells of an oom are skipped', async () => {
    const place = new Workplace();
    place.config('run.yaml', {
      isolation,
      batchSizes: [1, 2, 4],
      engines: [
        variant('hungry', { fault: 'oom', faultFromBatch: 2 }),
        variant('crashing', { fault: 'crash', faultFromBatch: 2 }),
        variant('silent', { fault: 'exit-silently', faultFromBatch: 2 }),
        variant('throwing', { fault: 'throws', faultFromBatch: 2 }),
        variant('sound'),
      ],
    });
    const { code, stdout } = await place.run(ARGS);
    expect(code).toBe(4);
    expect(await place.statuses()).toEqual({
      'hungry/b1': 'ok',
      'hungry/b2': 'oom',
      'hungry/b4': 'skipped',
      'crashing/b1': 'ok',
      'crashing/b2': 'crashed',
      'crashing/b4': 'crashed',
      'silent/b1': 'ok',
      'silent/b2': 'protocol-error',
      'silent/b4': 'protocol-error',
      'throwing/b1': 'ok',
      'throwing/b2': 'failed',
      'throwing/b4': 'failed',
      'sound/b1': 'ok',
      'sound/b2': 'ok',
      'sound/b4': 'ok',
    });
    const summary = readFileSync(join(place.dir, 'out/report/summary.csv'), 'utf8');
    expect(summary).toContain('SIGSEGV');
    expect(summary).toContain('scripted: about to crash');
    expect(summary).toContain('ran out of memory (llama-nano/hungry/fp32/cpu/b2');
    expect(stdout).toContain('scripted: a library threw this');
    await place.expectNothingLeft();
  });
});

describe('what a runner sends', () => {
  it('14: a failure behind a result is a breach of the protocol', async () => {
    const failing = await open('result-then-error');
    await failing.generate(work);
    expect(await failureOf(failing.generate(work))).toMatchObject({
      code: 'protocol-error',
      sessionLost: true,
    });
    await failing.close();
    const ending = await open('result-then-exit');
    await ending.generate(work);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const error = await failureOf(ending.generate(work));
    expect(error).toMatchObject({ code: 'protocol-error', sessionLost: true });
    expect(error.message).toMatch(/exit code 3 after its answer.*last words/s);
  });

  it.each(['infinite', 'duplicate-id'])('15: %s is rejected', async (fault) => {
    const opened = await open(fault);
    if (fault === 'duplicate-id') await opened.generate(work);
    expect(await failureOf(opened.generate(work))).toMatchObject({
      code: 'protocol-error',
      sessionLost: true,
    });
  });

  it('15: a line without end takes no more memory than the longest line may', async () => {
    const opened = await open('endless-line');
    const before = process.memoryUsage.rss();
    let highest = before;
    const watch = setInterval(() => {
      highest = Math.max(highest, process.memoryUsage.rss());
    }, 10);
    const error = await failureOf(opened.generate(work));
    await opened.close();
    clearInterval(watch);
    expect(error.message).toMatch(/more than \d+ bytes/);
    expect((highest - before) / 2 ** 20).toBeLessThan(200);
  });
});
