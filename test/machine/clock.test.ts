import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  cpuClocksMHz,
  parseGpuClocks,
  quotaThrottledNs,
  thermalThrottles,
  watchClock,
} from '../../src/machine/clock.ts';
import { clockReadingSchema } from '../../src/schema/record.ts';

let root: string;
const places = () => ({
  cpus: join(root, 'cpu'),
  cpuInfo: join(root, 'cpuinfo'),
  ownGroup: join(root, 'own'),
  groups: join(root, 'groups'),
});
function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ortbench-clock-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('the processor', () => {
  it('tells its clocks through cpufreq', () => {
    put('cpu/cpu0/cpufreq/scaling_cur_freq', '3400000\n');
    put('cpu/cpu1/cpufreq/scaling_cur_freq', '800000\n');
    put('cpu/cpufreq/boost', '1');
    expect(cpuClocksMHz(places())).toEqual([3400, 800]);
  });

  it('is believed in /proc/cpuinfo only where that line is measured', () => {
    put('cpuinfo', 'flags\t\t: fpu aperfmperf avx2\ncpu MHz\t\t: 2593.906\ncpu MHz\t\t: 1200.000\n');
    expect(cpuClocksMHz(places())).toEqual([2593.906, 1200]);
    put('cpuinfo', 'flags\t\t: fpu avx2 hypervisor\ncpu MHz\t\t: 2593.906\n');
    expect(cpuClocksMHz(places())).toEqual([]);
  });

  it('counts its slowing down for heat', () => {
    expect(thermalThrottles(places())).toBeNull();
    put('cpu/cpu0/thermal_throttle/core_throttle_count', '3\n');
    put('cpu/cpu0/thermal_throttle/package_throttle_count', '4\n');
    put('cpu/cpu1/thermal_throttle/core_throttle_count', '5\n');
    expect(thermalThrottles(places())).toBe(12);
  });
});

describe('the CPU quota', () => {
  it('is that of the own control group, or of the container', () => {
    expect(quotaThrottledNs(places())).toBeNull();
    put('groups/cpu/cpu.stat', 'nr_throttled 1\nthrottled_time 77\n');
    expect(quotaThrottledNs(places())).toBe(77);
    put('groups/cpu.stat', 'usage_usec 9\nthrottled_usec 5\n');
    expect(quotaThrottledNs(places())).toBe(5000);
    put('own', '0::/user.slice/me\n');
    put('groups/user.slice/me/cpu.stat', 'throttled_usec 8\n');
    expect(quotaThrottledNs(places())).toBe(8000);
  });
});

describe('GPUs', () => {
  it('tell the highest clock and every reason but idleness', () => {
    expect(parseGpuClocks('1980, 0x0000000000000001\n1200, 0x0000000000000044\n')).toEqual({
      mhz: 1980,
      reasons: ['power cap', 'hardware thermal slowdown'],
    });
    expect(parseGpuClocks('[N/A], [N/A]\n')).toBeNull();
  });

  it.skipIf(process.platform === 'win32')('are asked for cells on a GPU only', async () => {
    put('bin/nvidia-smi', '#!/bin/sh\necho "1410, 0x0000000000000004"\n');
    chmodSync(join(root, 'bin/nvidia-smi'), 0o755);
    const path = process.env.PATH;
    process.env.PATH = `${join(root, 'bin')}:${path}`;
    try {
      expect(await watchClock(1, true, places())()).toMatchObject({
        gpuMHz: 1410,
        gpuThrottleReasons: ['power cap'],
      });
      expect(await watchClock(1, false, places())()).toMatchObject({
        gpuMHz: null,
        gpuThrottleReasons: null,
      });
    } finally {
      process.env.PATH = path;
    }
  });
});

describe('watching', () => {
  it('tells what happened in between, and averages the CPUs that work', async () => {
    for (const [i, mhz] of [3000, 2000, 800].entries())
      put(`cpu/cpu${i}/cpufreq/scaling_cur_freq`, String(mhz * 1000));
    put('cpu/cpu0/thermal_throttle/core_throttle_count', '3');
    put('groups/cpu.stat', 'throttled_usec 5');
    const watch = watchClock(2, false, places());
    put('cpu/cpu0/thermal_throttle/core_throttle_count', '4');
    put('groups/cpu.stat', 'throttled_usec 25');
    const reading = await watch();
    expect(clockReadingSchema.parse(reading)).toEqual(reading);
    expect(reading).toMatchObject({ cpuMHz: 2500, thermalThrottles: 1, quotaThrottledNs: 20_000 });
  });

  it('says null of a machine that tells nothing', async () => {
    expect(await watchClock(2, false, places())()).toEqual({
      watchedNs: expect.any(Number),
      cpuMHz: null,
      thermalThrottles: null,
      quotaThrottledNs: null,
      gpuMHz: null,
      gpuThrottleReasons: null,
    });
  });
});
