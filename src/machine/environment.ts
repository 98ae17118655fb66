import { execFile } from 'node:child_process';
import { availableParallelism, cpus, type as osType, release } from 'node:os';
import { promisify } from 'node:util';
import type { Environment } from '../schema/manifest.ts';
import { physicalCores, readCpuInfo, readOr } from './cpu.ts';
import { memoryMiB } from './memory.ts';
import { ortbenchCommit, ortbenchVersion } from './version.ts';

const run = promisify(execFile);

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
    gpu: await gpuName(),
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

/** Names of the NVIDIA GPUs, or null: without the driver's tool there is none that an engine could use. */
async function gpuName(): Promise<string | null> {
  try {
    const query = ['--query-gpu=name,driver_version', '--format=csv,noheader'];
    const { stdout } = await run('nvidia-smi', query, { timeout: 5000, windowsHide: true });
    const lines = stdout.split('\n').flatMap((line) => line.trim() || []);
    return lines.length > 0 ? lines.join('; ').slice(0, 400) : null;
  } catch {
    return null;
  }
}
