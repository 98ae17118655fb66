import { freemem, totalmem } from 'node:os';

const BYTES_PER_MIB = 2 ** 20;

/** Memory that sessions may fill together. */
export interface MemoryRoom {
  readonly hostMiB: number;
  /** Null where nobody knows: what lies on the device is then counted with the host's, as it is on integrated ones. */
  readonly deviceMiB: number | null;
}

/** Memory that this process may use, in MiB: the machine's, or its control group's limit where that is smaller. */
export function memoryMiB(): number {
  const limit = process.constrainedMemory();
  const total = totalmem();
  // 0 or a number beyond any machine stands for "no limit".
  return Math.round((limit > 0 && limit < total ? limit : total) / BYTES_PER_MIB);
}

/** Memory free now for this process, page cache that can be dropped included, in MiB. */
export function availableMemoryMiB(): number {
  // On Linux this is MemAvailable or what the control group has left; elsewhere the free memory.
  const available = process.availableMemory?.() ?? freemem();
  return Math.round(available / BYTES_PER_MIB);
}
