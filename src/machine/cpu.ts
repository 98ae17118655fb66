import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';

/** Instruction sets that decide which kernels an engine takes; the other hundred flags tell nothing about speed. */
const RELEVANT =
  /^(sse4_2|avx|avx2|fma|f16c|avx512\w*|avx_vnni\w*|amx_\w+|asimd|asimdhp|asimddp|i8mm|bf16|sve\w*|sme|sme2|sme_\w+|fphp)$/;

export interface CpuInfo {
  readonly model: string | null;
  /** Cores of the whole machine, hyperthreads counted once; null when the text does not say. */
  readonly physicalCores: number | null;
  readonly features: string[];
  /** Whether a hypervisor shows itself; null where CPUs have no such flag. */
  readonly virtualised: boolean | null;
}

/** Reads Linux's /proc/cpuinfo, x86 and ARM. */
export function parseCpuInfo(text: string): CpuInfo {
  const cores = new Set<string>();
  let model: string | null = null;
  let flags: string[] | null = null;
  let isX86 = false;
  for (const block of text.split(/\n\s*\n/)) {
    const fields = new Map(
      block.split('\n').flatMap((line) => {
        const colon = line.indexOf(':');
        return colon < 0 ? [] : [[line.slice(0, colon).trim(), line.slice(colon + 1).trim()] as const];
      }),
    );
    model ??= fields.get('model name') ?? null;
    isX86 ||= fields.has('flags');
    flags ??= (fields.get('flags') ?? fields.get('Features'))?.split(/\s+/) ?? null;
    const core = fields.get('core id');
    if (core !== undefined) cores.add(`${fields.get('physical id') ?? 0}/${core}`);
  }
  return {
    model,
    physicalCores: cores.size > 0 ? cores.size : null,
    features: (flags ?? []).filter((flag) => RELEVANT.test(flag)).sort(),
    virtualised: isX86 ? (flags ?? []).includes('hypervisor') : null,
  };
}

/** What this system's kernel says of its CPU; empty off Linux. */
export function readCpuInfo(): CpuInfo {
  return parseCpuInfo(readOr('/proc/cpuinfo', ''));
}

/**
 * Physical cores that this process may use: the machine's, hyperthreads counted once, limited by CPU affinity and by
 * the control group's quota. At least 1. The default for compute threads.
 */
export function physicalCores(): number {
  const logical = cpus().length || availableParallelism();
  const physical = process.platform === 'darwin' ? coresOfMac() : readCpuInfo().physicalCores;
  // Affinity counts hyperthreads; where it is narrower than the machine, assume whole cores were given.
  const threadsPerCore = physical === null ? 1 : Math.max(1, Math.round(logical / physical));
  const allowed = Math.ceil(availableParallelism() / threadsPerCore);
  return Math.max(1, Math.min(physical ?? logical, allowed, cpuQuota() ?? Number.POSITIVE_INFINITY));
}

/** CPUs that the control group grants, rounded down but never to 0; null without a limit. */
function cpuQuota(): number | null {
  const [quota, period] = readOr('/sys/fs/cgroup/cpu.max', '').trim().split(/\s+/).map(Number);
  const v1 = [
    Number(readOr('/sys/fs/cgroup/cpu/cpu.cfs_quota_us', '') || Number.NaN),
    Number(readOr('/sys/fs/cgroup/cpu/cpu.cfs_period_us', '') || Number.NaN),
  ];
  for (const [granted, every] of [[quota, period], v1]) {
    if (granted && every && granted > 0) return Math.max(1, Math.floor(granted / every));
  }
  return null;
}

function coresOfMac(): number | null {
  try {
    const text = execFileSync('/usr/sbin/sysctl', ['-n', 'hw.physicalcpu'], {
      encoding: 'utf8',
      timeout: 2000,
    });
    return Number(text) || null;
  } catch {
    return null;
  }
}

/** A small system file, or `missing` on systems that do not have it. */
export function readOr<T>(path: string, missing: T): string | T {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return missing;
  }
}
