import { setTimeout as sleep } from 'node:timers/promises';
import { freeDeviceMiB as askDevice } from '../machine/devices/find.ts';
import { availableMemoryMiB, type MemoryRoom } from '../machine/memory.ts';
import type { Device } from '../schema/vocabulary.ts';
import { formatMiB } from '../units.ts';
import { largest } from './schedule.ts';

/** How long memory of what ended may take to come back before it counts as taken. */
const PATIENCE_MS = 5_000;
const POLL_MS = 100;
/** What a harness may hold more than at first: records and charts of its own, not models. */
const SLACK_MIB = 64;
const SLACK_SHARE = 0.5;
/** What a driver's context and an engine's libraries keep on a device for as long as the process lives. */
const DEVICE_SLACK_MIB = 700;

/** Predicted peaks of a session; `deviceMiB` is null on the CPU. */
interface Needed {
  readonly hostMiB: number;
  readonly deviceMiB: number | null;
}

/** Where the figures come from; what the system says unless given. */
export interface MemorySources {
  /** Free in the host's memory. */
  readonly freeMiB?: (() => number) | undefined;
  /** Free in a device's memory; null where nobody knows. */
  readonly freeDeviceMiB?: ((device: Device) => Promise<number | null>) | undefined;
  /** Held by this process. */
  readonly ownMiB?: () => number;
}

/** Memory of the machine before an engine is loaded, and of this process and its device after one has ended. */
export class Room {
  readonly #freeMiB: () => number;
  readonly #freeDeviceMiB: () => Promise<number | null>;
  readonly #ownMiB: () => number;
  readonly #baselineMiB: number;
  /** Of the device, before the first engine is loaded. */
  #deviceBaselineMiB: number | null | undefined;

  constructor(sources: MemorySources, device: Device) {
    const { freeMiB = availableMemoryMiB, freeDeviceMiB = askDevice, ownMiB = residentMiB } = sources;
    this.#freeMiB = freeMiB;
    this.#freeDeviceMiB = () => freeDeviceMiB(device);
    this.#ownMiB = ownMiB;
    this.#baselineMiB = ownMiB();
  }

  /** Waits a little for the largest of a session's cells to find room, and tells what is free: less where it does not come. */
  async waitFor(cells: readonly Needed[]): Promise<MemoryRoom> {
    const hostMiB = largest(cells, (needed) => needed.hostMiB);
    const needed = { hostMiB, deviceMiB: largest(cells, ({ deviceMiB }) => deviceMiB ?? 0) };
    let free = await this.#free();
    this.#deviceBaselineMiB ??= free.deviceMiB;
    await until(async () => {
      free = await this.#free();
      return lackingMemory(needed, free) === null;
    });
    return free;
  }

  async #free(): Promise<MemoryRoom> {
    return { hostMiB: this.#freeMiB(), deviceMiB: await this.#freeDeviceMiB() };
  }

  /**
   * To be called where every engine is closed: waits a little for this process, and for the device, to hold no more than
   * before any was loaded.
   * @returns what an engine did not give back, in words; null where memory is back at its baseline.
   */
  async leftOver(): Promise<string | null> {
    let left = await this.#left();
    await until(async () => {
      left = await this.#left();
      return left === null;
    });
    return left;
  }

  async #left(): Promise<string | null> {
    const ownMiB = this.#ownMiB() - this.#baselineMiB;
    const isOwn = ownMiB > Math.max(SLACK_MIB, this.#baselineMiB * SLACK_SHARE);
    const freeMiB = this.#deviceBaselineMiB == null ? null : await this.#freeDeviceMiB();
    const takenMiB = freeMiB === null ? 0 : this.#deviceBaselineMiB! - freeMiB;
    const left = [
      isOwn ? `${formatMiB(ownMiB)} of memory` : [],
      takenMiB > DEVICE_SLACK_MIB ? `${formatMiB(takenMiB)} of the device's memory` : [],
    ].flat();
    return left.length === 0 ? null : left.join(' and ');
  }
}

/**
 * What a session that needs so much lacks in what is free, in words; null where it fits. A device whose memory nobody knows
 * is an integrated one: what lies there is the host's.
 */
export function lackingMemory(needed: Needed, free: MemoryRoom): string | null {
  const onDevice = needed.deviceMiB ?? 0;
  if (free.deviceMiB !== null && onDevice > free.deviceMiB) {
    return `would need about ${formatMiB(onDevice)} of the device's memory; only ${formatMiB(free.deviceMiB)} was free`;
  }
  const inHost = needed.hostMiB + (free.deviceMiB === null ? onDevice : 0);
  if (inHost <= free.hostMiB) return null;
  return `would need about ${formatMiB(inHost)} of memory; only ${formatMiB(free.hostMiB)} was free`;
}

async function until(reached: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await reached()) && performance.now() < end) await sleep(POLL_MS);
}

function residentMiB(): number {
  return process.memoryUsage.rss() / 2 ** 20;
}
