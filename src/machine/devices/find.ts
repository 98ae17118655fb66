import type { Device } from '../../schema/vocabulary.ts';
import type { FoundDevices } from './device.ts';
import { nvidiaDevices } from './nvidia.ts';
import { vulkanDevices } from './vulkan.ts';

type Found = Promise<FoundDevices>;

/** WebGPU stands on the system's own graphics library; only Vulkan, Linux's, can be asked for its devices here. */
function webgpuDevices(): Found {
  if (process.platform === 'linux') return vulkanDevices();
  const api = process.platform === 'darwin' ? 'Metal' : 'Direct3D 12';
  const device = { name: `${api} device`, driver: api, memoryMiB: null, freeMiB: null, software: false };
  return Promise.resolve({ devices: [device] });
}

const FINDERS: Readonly<Record<Exclude<Device, 'cpu'>, () => Found>> = {
  cuda: nvidiaDevices,
  webgpu: webgpuDevices,
};

const found = new Map<Device, Found>();

/** What stands behind `device` here, asked once in a process; engines run on the first of them. */
export function findDevices(device: Exclude<Device, 'cpu'>): Found {
  let devices = found.get(device);
  if (devices === undefined) {
    devices = FINDERS[device]();
    found.set(device, devices);
  }
  return devices;
}

/**
 * Free memory of the device that engines run on, now, in MiB. All of its memory where the driver does not tell how much is
 * free; null where it tells neither, and on the CPU.
 */
export async function freeDeviceMiB(device: Device): Promise<number | null> {
  if (device === 'cpu') return null;
  const first = (facts: FoundDevices) => ('devices' in facts ? facts.devices[0] : undefined);
  const known = first(await findDevices(device));
  // A driver that did not tell once is not asked anew before every session.
  if (known === undefined || known.freeMiB === null) return known?.memoryMiB ?? null;
  return first(await FINDERS[device]())?.freeMiB ?? null;
}
