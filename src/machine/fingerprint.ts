import { createHash } from 'node:crypto';
import { cpus, release } from 'node:os';
import { physicalCores, readCpuInfo, readOr } from './cpu.ts';
import { memoryMiB } from './memory.ts';

/** What decides how fast a machine can be. No name, address or path is among it. */
export interface MachineIdentity {
  readonly cpu: string;
  readonly cpuFeatures: readonly string[];
  readonly physicalCores: number;
  readonly logicalCores: number;
  /** To a whole GiB: kernels reserve a little more or less. */
  readonly memoryGiB: number;
  readonly arch: string;
  /** Null where the system does not tell. */
  readonly microcode: string | null;
  readonly kernel: string;
}

export function machineIdentity(): MachineIdentity {
  const cpu = readCpuInfo();
  return {
    cpu: cpu.model ?? cpus()[0]?.model.trim() ?? 'unknown',
    cpuFeatures: cpu.features,
    physicalCores: physicalCores(),
    logicalCores: cpus().length,
    memoryGiB: Math.round(memoryMiB() / 1024),
    arch: process.arch,
    microcode: /^microcode\s*:\s*(\S+)$/m.exec(readOr('/proc/cpuinfo', ''))?.[1] ?? null,
    kernel: release(),
  };
}

/** Of the hardware alone: an update of kernel or microcode makes a measurement stale, not another machine. */
export function machineFingerprint(identity: MachineIdentity): string {
  const { microcode: _, kernel: __, ...hardware } = identity;
  return createHash('sha256').update(JSON.stringify(hardware)).digest('hex').slice(0, 16);
}
