import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  busyTicks,
  otherLoadBetween,
  processTicks,
  takeLoadSnapshot,
  watchOtherLoad,
} from '../../src/machine/load.ts';

describe('reading /proc', () => {
  it('adds everything but idle, waiting and guest time', () => {
    expect(busyTicks('cpu  1 2 4 1000 1000 8 16 32 1000 1000\ncpu0 9 9 9\n')).toBe(1 + 2 + 4 + 8 + 16 + 32);
    expect(busyTicks('intr 5')).toBeNull();
  });

  it('finds the times behind any process name', () => {
    const stat = `42 (a) b) (c) S 1 42 42 0 -1 4194304 1 2 3 4 100 20 3 1 20 0 11 0 ${'9 '.repeat(20)}`;
    expect(processTicks(stat)).toBe(124);
    expect(processTicks('')).toBeNull();
    expect(processTicks('42 (a) S 1')).toBeNull();
  });
});

describe('otherLoadBetween', () => {
  const snapshot = (seconds: number, machineTicks: number, own: Record<number, number>) => ({
    takenNs: BigInt(seconds * 1e9),
    machineTicks,
    ownTicks: new Map(Object.entries(own).map(([pid, ticks]) => [Number(pid), ticks])),
  });

  it('is the machine less the own processes, in cores', () => {
    const load = otherLoadBetween(snapshot(0, 1000, { 1: 50 }), snapshot(2, 1500, { 1: 250 }));
    expect(load).toBeCloseTo(1.5, 9);
  });

  it('counts a process that was started in between from its beginning', () => {
    expect(otherLoadBetween(snapshot(0, 0, {}), snapshot(1, 200, { 7: 100 }))).toBeCloseTo(1, 9);
  });

  it('is never negative, and unknown for spans that are too short or systems that do not tell', () => {
    expect(otherLoadBetween(snapshot(0, 0, { 1: 0 }), snapshot(1, 10, { 1: 12 }))).toBe(0);
    expect(otherLoadBetween(snapshot(0, 0, {}), { ...snapshot(0, 9, {}), takenNs: 50_000_000n })).toBeNull();
    expect(otherLoadBetween(null, null)).toBeNull();
  });
});

describe.runIf(process.platform === 'linux')('on this machine', () => {
  it('sees another process that is busy, and not this one or those named', async () => {
    const child = spawn(process.execPath, ['-e', 'for (;;);']);
    try {
      await new Promise((resolve) => child.once('spawn', resolve));
      const others = watchOtherLoad([process.pid]);
      const withoutChild = watchOtherLoad([process.pid, child.pid!]);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const seen = others()!;
      const unseen = withoutChild()!;
      // How much CPU it got depends on who else is here; the difference is the child's alone.
      expect(seen - unseen).toBeGreaterThan(0.1);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('leaves out processes that are not there', () => {
    expect(takeLoadSnapshot([process.pid, 2 ** 30])!.ownTicks.size).toBe(1);
  });
});
