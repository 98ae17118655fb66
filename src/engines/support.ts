import { EngineError } from '../errors.ts';
import type { Device, Precision } from '../schema/vocabulary.ts';
import type { EngineMeta, Support } from './engine.ts';

type Capable = Pick<EngineMeta, 'title' | 'precisions'>;

/** `true`, or why an engine with these options (as the sweep gives them) leaves a precision out on a device. */
export function supportOf(
  { title, precisions }: Capable,
  device: Device,
  precision: Precision,
  options: Readonly<Record<string, unknown>>,
): true | string {
  const onDevice = precisions[device];
  if (onDevice === undefined) return `${title} has no ${device} path`;
  const support: Support = onDevice[precision];
  if (typeof support !== 'object') return support;
  const { option, value } = support.insist;
  if (options[option] === value) return true;
  return `${support.reason}; to run it all the same, set the engine option ${option}: ${value}`;
}

/** @throws EngineError `unsupported` with the reason of `supportOf` */
export function requireSupport(...of: Parameters<typeof supportOf>): void {
  const support = supportOf(...of);
  if (support !== true) throw new EngineError('unsupported', support);
}

/** What an engine computes in where a sweep asks for a precision: another one where it had to insist. */
export function computedIn(
  { precisions }: Pick<EngineMeta, 'precisions'>,
  { device, precision }: { device: Device; precision: Precision },
): Precision {
  const support = precisions[device]?.[precision];
  return typeof support === 'object' ? support.computesIn : precision;
}
