import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Device } from '../../schema/vocabulary.ts';
import type { Decoder } from '../engine.ts';
import type { FakeOptions } from './engine.ts';
import { FOREVER_MS, strike } from './faults.ts';

/** A mixing function of 32-bit integers (the finaliser of MurmurHash3): the fake model's "weights". */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * The next token depends on every token before it, as in a real model, so that wrong prompts, swapped rows, a lost step
 * or a stale cache all change the answer.
 */
export class FakeDecoder implements Decoder {
  readonly vocabSize: number;
  readonly #options: FakeOptions;
  #prompts: readonly Int32Array[] = [];
  #states = new Uint32Array(0);
  #logits = new Float32Array(0);
  #runs = 0;
  /** A thread that spins from loading to closing. */
  #burner: Worker | null = null;
  #noise = 1;
  /** Work given to the scripted device that nobody waited for yet, in milliseconds. */
  #pendingMs = 0;
  readonly #device: Device;

  constructor(options: FakeOptions, device: Device = 'cpu') {
    this.#options = options;
    this.#device = device;
    this.vocabSize = options.vocabSize;
    if (options.fault === 'burns-idle') this.#burner = new Worker('for (;;);', { eval: true });
  }

  begin(prompts: readonly Int32Array[]): void {
    this.#pendingMs = 0;
    this.#runs++;
    this.#prompts = prompts;
    this.#states = new Uint32Array(prompts.length);
    this.#logits = new Float32Array(prompts.length * this.vocabSize);
    if (this.#options.fault === 'changes-answer') this.#states.fill(this.#runs);
  }

  async prefill(): Promise<Float32Array> {
    await this.#strike();
    const tokens = this.#prompts.reduce((sum, row) => sum + row.length, 0);
    await this.#compute(tokens * this.#options.prefillMsPerToken);
    this.#prompts.forEach((row, sequence) => {
      for (const id of row) this.#absorb(sequence, id);
    });
    return this.#answer();
  }

  async step(ids: Int32Array): Promise<Float32Array> {
    await this.#compute(this.#options.stepMs * this.#drawNoise());
    ids.forEach((id, sequence) => {
      this.#absorb(sequence, id);
    });
    return this.#answer();
  }

  async close(): Promise<void> {
    await this.#burner?.terminate();
    if (this.#options.fault === 'close-hangs') await sleep(FOREVER_MS);
  }

  /** The cache that it would have: 2 KiB a token. */
  peakDeviceBytes(): number | null {
    const tokens = this.#prompts.reduce((sum, row) => sum + row.length, 0);
    return this.#device === 'cpu' ? null : 2048 * tokens;
  }

  /** On a device work is given away and waited for; a decoder that does not wait leaves that to whoever reads. */
  async #compute(milliseconds: number): Promise<void> {
    if (this.#device !== 'cpu' && this.#options.fault === 'not-synchronised') this.#pendingMs += milliseconds;
    else await this.wait(milliseconds);
  }

  /** Logits of a device that still works on them: the first to read one waits for it. */
  #awaited(logits: Float32Array): Float32Array {
    if (this.#pendingMs === 0) return logits;
    return new Proxy(logits, {
      get: (target, key) => {
        if (typeof key === 'string' && /^\d+$/.test(key)) this.#spin();
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  #spin(): void {
    const end = process.hrtime.bigint() + BigInt(Math.round(this.#pendingMs * 1e6));
    this.#pendingMs = 0;
    while (process.hrtime.bigint() < end);
  }

  /** Sleeps for the greater part and spins for the rest: timers alone are only good to a millisecond. */
  async wait(milliseconds: number): Promise<void> {
    if (milliseconds <= 0) return;
    const end = process.hrtime.bigint() + BigInt(Math.round(milliseconds * 1e6));
    if (milliseconds > 4) await sleep(milliseconds - 3);
    while (process.hrtime.bigint() < end);
  }

  #absorb(sequence: number, id: number): void {
    this.#states[sequence] = mix(this.#states[sequence]! ^ mix(id + 0x9e3779b9));
  }

  #drawNoise(): number {
    this.#noise = mix(this.#noise);
    return 1 + this.#options.noise * (2 * (this.#noise / 2 ** 32) - 1);
  }

  #answer(): Float32Array {
    const offset = this.#options.logitOffset;
    const broken = this.#options.fault === 'nan-logits';
    for (let i = 0; i < this.#logits.length; i++) {
      const state = this.#states[Math.floor(i / this.vocabSize)]!;
      const id = i % this.vocabSize;
      this.#logits[i] = broken ? Number.NaN : mix(state ^ (id + offset)) / 2 ** 32;
    }
    return this.#awaited(this.#logits);
  }

  async #strike(): Promise<void> {
    const { fault, faultFromBatch } = this.#options;
    if (this.#prompts.length >= faultFromBatch) await strike(fault);
  }
}
