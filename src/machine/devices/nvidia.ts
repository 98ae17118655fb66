import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { DeviceFacts, FoundDevices } from './device.ts';

const run = promisify(execFile);
const QUERY = ['--query-gpu=name,driver_version,memory.total,memory.free', '--format=csv,noheader,nounits'];
const MEND = 'install the NVIDIA driver, or set device: cpu';

/** The GPUs that NVIDIA's driver knows, by its own tool. */
export async function nvidiaDevices(): Promise<FoundDevices> {
  try {
    const { stdout } = await run('nvidia-smi', QUERY, { timeout: 10_000, windowsHide: true });
    const devices = parseNvidiaSmi(stdout);
    if (devices.length > 0) return { devices };
    return { missing: 'nvidia-smi lists no GPU', mend: MEND };
  } catch (error) {
    const { code, stdout } = error as NodeJS.ErrnoException & { stdout?: string };
    if (code === 'ENOENT') return { missing: 'no NVIDIA driver: there is no nvidia-smi', mend: MEND };
    const said = stdout?.trim().split('\n')[0]?.slice(0, 200) || `exit code ${code ?? 'unknown'}`;
    return { missing: `nvidia-smi fails: ${said}`, mend: MEND };
  }
}

/** Lines of `name, driver, total MiB, free MiB`; a memory that is "[N/A]", as on shared memory, is null. */
export function parseNvidiaSmi(csv: string): DeviceFacts[] {
  return csv.split('\n').flatMap((line) => {
    const [name, driver, total, free] = line.split(',').map((field) => field.trim());
    if (!name || !driver) return [];
    const mib = (field: string | undefined) => (field && /^\d+$/.test(field) ? Number(field) : null);
    return [{ name, driver: `NVIDIA ${driver}`, memoryMiB: mib(total), freeMiB: mib(free), software: false }];
  });
}
