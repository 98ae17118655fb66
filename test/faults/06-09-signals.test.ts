import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Finished, finish, outcomesOf, said, variant, Workplace } from '../fixtures/workplace.ts';

const LONG = { repetitions: 200, generate: 24, engines: [variant('a', { stepMs: 2 })] };
const ARGS = ['sweep', 'run.yaml', '--out', 'out', '--no-parity'];

/** Starts a sweep, waits until it is in the middle of a cell, and does what is given. */
async function during(
  sweep: Record<string, unknown>,
  act: (place: Workplace, pid: number) => void,
): Promise<{ place: Workplace; finished: Finished; seconds: number }> {
  const place = new Workplace();
  place.config('run.yaml', sweep);
  const child = place.start(ARGS);
  const done = finish(child);
  await said(child, 'results in');
  await sleep(800);
  const started = performance.now();
  act(place, child.pid!);
  const finished = await done;
  return { place, finished, seconds: (performance.now() - started) / 1e3 };
}

describe('6: an interrupt', () => {
  it.each([
    ['in-process', 'SIGINT', 130],
    ['process', 'SIGINT', 130],
    ['process', 'SIGTERM', 143],
  ] as const)(
    '%s, %s: runners end, a partial report is written, exit %d',
    async (isolation, signal, code) => {
      const { place, finished } = await during({ ...LONG, isolation }, (_, pid) => process.kill(pid, signal));
      expect(finished.code, finished.stderr).toBe(code);
      expect((await place.results()).interrupted).toBe(true);
      expect(existsSync(join(place.dir, 'out/report/summary.csv'))).toBe(true);
      expect(finished.stdout).toContain('interrupted');
      await place.expectNothingLeft();
    },
  );

  it('while a model is loaded does not wait for it', async () => {
    const sweep = { ...LONG, isolation: 'process', engines: [variant('a', { fault: 'load-hangs' })] };
    const { place, finished, seconds } = await during(sweep, (_, pid) => process.kill(pid, 'SIGINT'));
    expect(finished.code, finished.stderr).toBe(130);
    // The load itself never ends.
    expect(seconds).toBeLessThan(40);
    await place.expectNothingLeft();
  });

  it('a second time ends at once, and the files stay valid', async () => {
    const sweep = {
      ...LONG,
      isolation: 'process',
      measureMemory: false,
      engines: [variant('a', { stepMs: 2 })],
    };
    const { place, finished } = await during(sweep, (_, pid) => {
      process.kill(pid, 'SIGINT');
      setTimeout(() => process.kill(pid, 'SIGINT'), 30);
    });
    expect(finished.code).toBe(130);
    expect((await place.results()).interrupted).toBe(true);
    for (let waited = 0; waited < 3_000 && place.processes().length > 0; waited += 50) await sleep(50);
    expect(place.processes()).toEqual([]);
    place.config('run.yaml', { ...sweep, repetitions: 200 });
    expect((await place.run(['report', 'out'])).code).toBe(0);
  });
});

describe('a runner that does not end by itself', () => {
  const stuck = (fault: string) => ({
    batchSizes: [1],
    isolation: 'process',
    measureMemory: false,
    engines: [variant('stuck', { fault }), variant('sound')],
    // Long enough for the sound one on a machine that others use.
    timeLimits: { cellSeconds: 3, closeSeconds: 0.5 },
  });

  it('7: that ignores SIGTERM is killed within five seconds', async () => {
    const place = new Workplace();
    place.config('run.yaml', stuck('deaf'));
    const child = place.start(ARGS);
    const timedOut = said(child, 'timeout').then(() => performance.now());
    const started = performance.now();
    const done = finish(child);
    while (!place.processes().some((line) => line.includes('host.js'))) await sleep(20);
    const finished = await done;
    await timedOut;
    expect(finished.code, finished.stderr).toBe(4);
    // Start, 3 s of its limit, up to five seconds until the SIGKILL, and the report; without the signal it never ends.
    expect((performance.now() - started) / 1e3).toBeLessThan(45);
    expect(await place.statuses()).toEqual({ 'stuck/b1': 'timeout', 'sound/b1': 'ok' });
    await place.expectNothingLeft();
  });

  it('8: with a grandchild ends with its whole group', async () => {
    const place = new Workplace();
    place.config('run.yaml', stuck('grandchild'));
    const { code } = await place.run(ARGS);
    expect(code).toBe(4);
    expect(await place.statuses()).toEqual({ 'stuck/b1': 'timeout', 'sound/b1': 'ok' });
    await place.expectNothingLeft();
  });

  it.each(['hang', 'blocks', 'deaf', 'grandchild'])(
    '9: ends when the harness is killed, also where it %s',
    async (fault) => {
      const sweep = { ...stuck(fault), timeLimits: { cellSeconds: 100 } };
      const { place, finished } = await during(sweep, (where, pid) => {
        expect(where.processes().some((line) => line.includes('host.js'))).toBe(true);
        process.kill(pid, 'SIGKILL');
      });
      expect(finished.signal).toBe('SIGKILL');
      const runners = () => place.processes().filter((line) => line.includes('host.js'));
      for (let waited = 0; waited < 5_000 && runners().length > 0; waited += 50) await sleep(50);
      expect(runners()).toEqual([]);
      // What a runner had started itself is not its to end when it is killed.
      for (const line of place.processes()) process.kill(Number(line.split(' ')[0]), 'SIGKILL');
      expect(outcomesOf((await place.results()).records)).toEqual([]);
    },
  );
});
