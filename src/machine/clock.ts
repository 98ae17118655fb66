import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ClockReading } from '../schema/record.ts';
import { readOr } from './cpu.ts';

const run = promisify(execFile);

/** Where the kernel tells its clocks and limits; another root in tests. */
export interface ClockPlaces {
  readonly cpus: string;
  readonly cpuInfo: string;
  readonly ownGroup: string;
  readonly groups: string;
}

const PLACES: ClockPlaces = {
  cpus: '/sys/devices/system/cpu',
  cpuInfo: '/proc/cpuinfo',
  ownGroup: '/proc/self/cgroup',
  groups: '/sys/fs/cgroup',
};

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Clock of each CPU in MHz. Empty where the kernel does not tell, as in most virtual machines. */
export function cpuClocksMHz(places: ClockPlaces = PLACES): number[] {
  const scaled = cpuFolders(places).flatMap((folder) => {
    const kHz = Number(readOr(join(folder, 'cpufreq/scaling_cur_freq'), ''));
    return kHz > 0 ? [kHz / 1000] : [];
  });
  if (scaled.length > 0) return scaled;
  const info = readOr(places.cpuInfo, '');
  // Without the counters of real cycles this line is the nominal clock, which never changes: it would hide throttling.
  if (!/^flags\b.*\baperfmperf\b/m.test(info)) return [];
  return [...info.matchAll(/^cpu MHz\s*:\s*([\d.]+)/gm)].map((match) => Number(match[1]));
}

/** How often any CPU was slowed for heat since the machine started; null where it does not count. */
export function thermalThrottles(places: ClockPlaces = PLACES): number | null {
  const counts = cpuFolders(places).flatMap((folder) =>
    ['core', 'package'].flatMap((what) => {
      const text = readOr(join(folder, `thermal_throttle/${what}_throttle_count`), null);
      return text === null ? [] : [Number(text)];
    }),
  );
  return counts.length === 0 ? null : counts.reduce((sum, count) => sum + count, 0);
}

/** Time that the control group's CPU quota held its threads back, in ns; null without such a group. */
export function quotaThrottledNs({ ownGroup, groups }: ClockPlaces = PLACES): number | null {
  const own = /^0::(\/.*)$/m.exec(readOr(ownGroup, ''))?.[1] ?? '/';
  for (const folder of [join(groups, own), groups]) {
    const usec = /^throttled_usec (\d+)$/m.exec(readOr(join(folder, 'cpu.stat'), ''))?.[1];
    if (usec !== undefined) return Number(usec) * 1000;
  }
  // Version 1 of control groups counts in ns.
  const ns = /^throttled_time (\d+)$/m.exec(readOr(join(groups, 'cpu', 'cpu.stat'), ''))?.[1];
  return ns === undefined ? null : Number(ns);
}

function cpuFolders({ cpus }: ClockPlaces): string[] {
  try {
    return readdirSync(cpus)
      .filter((name) => /^cpu\d+$/.test(name))
      .map((name) => join(cpus, name));
  } catch {
    return [];
  }
}

/** Bits of nvidia-smi's clocks_throttle_reasons.active; an idle GPU's is left out, for it is idle when it is asked. */
const GPU_REASONS: readonly (readonly [bit: number, name: string])[] = [
  [0x2, 'application clocks'],
  [0x4, 'power cap'],
  [0x8, 'hardware slowdown'],
  [0x10, 'sync boost'],
  [0x20, 'software thermal slowdown'],
  [0x40, 'hardware thermal slowdown'],
  [0x80, 'power brake'],
  [0x100, 'display clocks'],
];

/** Highest clock of the GPUs in MHz and why any of them is held back, from lines of "1980, 0x0000000000000004". */
export function parseGpuClocks(text: string): { mhz: number; reasons: string[] } | null {
  const gpus = text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)[^,]*,\s*0x([0-9a-f]+)\s*$/i.exec(line);
    return match ? [{ mhz: Number(match[1]), bits: Number.parseInt(match[2]!, 16) }] : [];
  });
  if (gpus.length === 0) return null;
  const reasons = GPU_REASONS.filter(([bit]) => gpus.some(({ bits }) => (bits & bit) !== 0));
  return { mhz: Math.max(...gpus.map(({ mhz }) => mhz)), reasons: reasons.map(([, name]) => name) };
}

async function gpuClocks(): Promise<ReturnType<typeof parseGpuClocks>> {
  try {
    const query = ['--query-gpu=clocks.sm,clocks_throttle_reasons.active', '--format=csv,noheader,nounits'];
    const { stdout } = await run('nvidia-smi', query, { timeout: 5000, windowsHide: true });
    return parseGpuClocks(stdout);
  } catch {
    return null;
  }
}

/**
 * Starts to watch; the returned function, called right after the timed work while the clocks are still those of it, tells
 * what the machine says of them. Nothing is read while the work runs. What cannot be read is null.
 * @param threads compute threads: so many of the quickest CPUs are averaged, for idle ones clock down
 */
export function watchClock(
  threads: number,
  withGpu: boolean,
  places: ClockPlaces = PLACES,
): () => Promise<ClockReading> {
  const started = process.hrtime.bigint();
  const heatBefore = thermalThrottles(places);
  const quotaBefore = quotaThrottledNs(places);
  return async () => {
    const clocks = cpuClocksMHz(places).sort((a, b) => b - a);
    const heat = thermalThrottles(places);
    const quota = quotaThrottledNs(places);
    const watchedNs = Number(process.hrtime.bigint() - started);
    const gpu = withGpu ? await gpuClocks() : null;
    return {
      watchedNs,
      cpuMHz: clocks.length === 0 ? null : mean(clocks.slice(0, threads)),
      thermalThrottles: heat === null || heatBefore === null ? null : heat - heatBefore,
      quotaThrottledNs: quota === null || quotaBefore === null ? null : quota - quotaBefore,
      gpuMHz: gpu?.mhz ?? null,
      gpuThrottleReasons: gpu?.reasons ?? null,
    };
  };
}
