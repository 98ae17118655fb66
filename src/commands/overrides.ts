import type { SweepOverrides } from '../config/load.ts';
import { didYouMean } from '../config/suggest.ts';
import { UserError } from '../errors.ts';
import { DEVICES, deviceSchema } from '../schema/vocabulary.ts';

export interface OverrideOptions {
  readonly layers?: string;
  readonly device?: string;
  readonly maxHours?: string;
}

/** `--layers`, `--device` and `--max-hours` as the sweep takes them. Throws UserError. */
export function overridesOf({ layers, device, maxHours }: OverrideOptions): SweepOverrides {
  return {
    ...(layers === undefined ? {} : { layers: parseLayers(layers) }),
    ...(device === undefined ? {} : { device: parseDevice(device) }),
    ...(maxHours === undefined ? {} : { maxHours: parseHours(maxHours) }),
  };
}

function parseLayers(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new UserError(`--layers ${text}: expected a whole number of at least 1`, {
    hint: '--layers 2 keeps the first two layers of every model, each of its true shape',
  });
}

function parseHours(text: string): number {
  const hours = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(hours) && hours > 0) return hours;
  throw new UserError(`--max-hours ${text}: expected a number of hours above 0`);
}

function parseDevice(text: string) {
  const device = deviceSchema.safeParse(text);
  if (device.success) return device.data;
  const near = didYouMean(text, DEVICES) || `; devices: ${DEVICES.join(', ')}`;
  throw new UserError(`--device ${text}: there is no such device${near}`);
}
