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

  it('a second time does not wait for the orderly end, and the files stay valid', async () => {
    const place = new Workplace();
    // Closing this engine, which is part of an orderly end, takes for ever.
    place.config('run.yaml', {
      ...LONG,
      isolation: 'in-process',
      measureMemory: false,
      engines: [variant('a', { stepMs: 2, fault: 'close-hangs' })],
    });
    const child = place.start(ARGS);
    const done = finish(child);
    await said(child, 'results in');
    await place.recorded('sample');
    const asked = said(child, 'again to end at once');
    child.kill('SIGINT');
    await asked;
    await sleep(1000);
    expect([child.exitCode, child.signalCode], 'ends without being told twice').toEqual([null, null]);
    const started = performance.now();
    child.kill('SIGINT');
    expect((await done).code).toBe(130);
    expect((performance.now() - started) / 1e3).toBeLessThan(5);
    // Neither closed nor reported: what an orderly end would have done.
    expect(existsSync(join(place.dir, 'out/report'))).toBe(false);
    const { interrupted, records } = await place.results();
    expect(interrupted).toBe(true);
    expect(records.some(({ kind }) => kind === 'end')).toBe(false);
    expect(records.some(({ kind }) => kind === 'sample')).toBe(true);
    expect(place.processes()).toEqual([]);
    expect((await place.run(['report', 'out'])).code).toBe(0);
  });

  it('a second time leaves no runner behind, whenever it comes', async () => {
    const sweep = { ...LONG, isolation: 'process', measureMemory: false };
    const { place, finished } = await during(sweep, (_, pid) => {
      process.kill(pid, 'SIGINT');
      setTimeout(() => process.kill(pid, 'SIGINT'), 30);
    });
    expect(finished.code).toBe(130);
    expect((await place.results()).interrupted).toBe(true);
    for (let waited = 0; waited < 5_000 && place.processes().length > 0; waited += 50) await sleep(50);
    expect(place.processes()).toEqual([]);
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

  // Four seconds of grace, and one for a machine that is busy with something else: the best of three counts.
  it('7: that ignores SIGTERM is killed within five seconds of it', { retry: 2 }, async () => {
    const place = new Workplace();
    place.config('run.yaml', stuck('deaf'));
    const child = place.start(ARGS);
    const done = finish(child);
    // Said when the limit is over, which is when the SIGTERM is sent.
    await said(child, /stuck.*timeout|timeout.*stuck/);
    const terminated = performance.now();
    const runners = () => place.processes().filter((line) => line.includes('host.js'));
    const [deaf] = runners();
    expect(deaf).toBeDefined();
    await sleep(2000);
    expect(runners(), 'it did not ignore SIGTERM').toContain(deaf);
    while (runners().includes(deaf!)) await sleep(10);
    expect((performance.now() - terminated) / 1e3).toBeLessThan(5);
    const finished = await done;
    expect(finished.code, finished.stderr).toBe(4);
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
