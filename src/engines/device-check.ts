import type { DeviceFacts, FoundDevices } from '../machine/devices/device.ts';
import { findDevices } from '../machine/devices/find.ts';
import type { Device } from '../schema/vocabulary.ts';

export interface Lack {
  readonly reason: string;
  readonly mend: string;
}

/** The first device's own facts, or what is missing for one: engines join it with what they lack themselves. */
export async function firstDevice(
  device: Exclude<Device, 'cpu'>,
  find: (device: Exclude<Device, 'cpu'>) => Promise<FoundDevices> = findDevices,
): Promise<{ device: DeviceFacts } | { lack: Lack }> {
  const found = await find(device);
  if ('missing' in found) return { lack: { reason: found.missing, mend: found.mend } };
  return { device: found.devices[0]! };
}

/** For `doctor` and the notes of a sweep. */
export function describeDevice({ name, driver, software }: DeviceFacts): string {
  return `device: ${name} (${driver})${software ? ', a software renderer: it shows that the path works, not how fast' : ''}`;
}

/** Facts of the device that every session's record carries; the report flags a software renderer. */
export function deviceEffective({ name, driver, software }: DeviceFacts): Record<string, string> {
  return {
    deviceName: name,
    deviceDriver: driver,
    ...(software ? { softwareDevice: `${name} computes on the processor` } : {}),
  };
}

/** All that is missing, at once: mending one thing must not bring up the next. */
export function unavailable(lacks: readonly Lack[]): {
  available: false;
  reason: string;
  mend: string;
} {
  return {
    available: false,
    reason: lacks.map(({ reason }) => reason).join('; '),
    mend: [...new Set(lacks.map(({ mend }) => mend))].join('; '),
  };
}
