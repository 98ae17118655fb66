import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { EngineSession } from '../../src/engines/engine.ts';
import { RunClock } from '../../src/runner/run-clock.ts';

it('charges the time of a stage to it alone, and tells what of it lay inside an engine', async () => {
  const before = process.hrtime.bigint();
  const clock = new RunClock();
  const started = process.hrtime.bigint();
  const session = clock.watch({ close: () => sleep(60) } as unknown as EngineSession);
  await clock.within('outer', async () => {
    await session.close();
    await clock.within('inner', () => sleep(30));
    await sleep(20);
  });
  await sleep(10);
  const leastNs = Number(process.hrtime.bigint() - started);
  const { stages, engineNs } = clock;
  const mostNs = Number(process.hrtime.bigint() - before);
  const of = (name: string) => stages.find(({ stage }) => stage === name)!;
  expect(stages.map(({ stage }) => stage).sort()).toEqual(['inner', 'other', 'outer']);
  expect(of('inner').wallNs).toBeGreaterThan(28e6);
  expect(of('inner').engineNs).toBe(0);
  expect(of('outer').wallNs).toBeGreaterThan(78e6);
  expect(of('outer').engineNs).toBeGreaterThan(58e6);
  expect(of('outer').engineNs).toBeLessThanOrEqual(of('outer').wallNs);
  expect(engineNs).toBe(of('outer').engineNs);
  const sum = stages.reduce((total, stage) => total + stage.wallNs, 0);
  expect(sum).toBeGreaterThanOrEqual(leastNs);
  expect(sum).toBeLessThanOrEqual(mostNs);
});

it('leaves the stage when its work fails', async () => {
  const clock = new RunClock();
  await expect(clock.within('broken', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await sleep(20);
  const other = clock.stages.find(({ stage }) => stage === 'other')!;
  expect(other.wallNs).toBeGreaterThan(18e6);
});
