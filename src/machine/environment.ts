import { availableParallelism, cpus, type as osType, release } from 'node:os';
import type { Environment } from '../schema/manifest.ts';
import { physicalCores, readCpuInfo, readOr } from './cpu.ts';
import type { DeviceFacts } from './devices/device.ts';
import { findDevices } from './devices/find.ts';
import { memoryMiB } from './memory.ts';
import { ortbenchCommit, ortbenchVersion } from './version.ts';

/** The machine and its software, from an allow-list. Whatever a system does not tell is null, empty or "unknown". */
export async function captureEnvironment(): Promise<Environment> {
  const cpu = readCpuInfo();
  return {
    cpuModel: cpu.model ?? cpus()[0]?.model.trim() ?? 'unknown',
    physicalCores: physicalCores(),
    logicalCores: availableParallelism(),
    cpuFeatures: cpu.features,
    memoryMiB: memoryMiB(),
    os: operatingSystem(),
    kernel: release(),
    arch: process.arch,
    gpu: await gpuNames(),
    virtualised: cpu.virtualised,
    cpuGovernor: readOr('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor', '').trim() || null,
    node: process.version,
    ortbench: ortbenchVersion(),
    ortbenchCommit: await ortbenchCommit(),
  };
}

function operatingSystem(): string {
  const pretty = /^PRETTY_NAME="?([^"\n]+)"?$/m.exec(readOr('/etc/os-release', ''))?.[1];
  return pretty ?? osType();
}

/**
 * Devices that an engine could use, by their drivers: NVIDIA's own word, and Vulkan's where there is no such driver. A
 * renderer on the processor is no hardware; sessions that run on one say so themselves.
 */
async function gpuNames(): Promise<string | null> {
  for (const device of ['cuda', 'webgpu'] as const) {
    const found = await findDevices(device);
    const real = 'devices' in found ? found.devices.filter(({ software }) => !software) : [];
    if (real.length > 0) return real.map(deviceLine).join('; ').slice(0, 400);
  }
  return null;
}

function deviceLine({ name, driver, memoryMiB }: DeviceFacts): string {
  const memory = memoryMiB === null ? '' : `, ${memoryMiB} MiB`;
  return `${name} (${driver}${memory})`;
}
