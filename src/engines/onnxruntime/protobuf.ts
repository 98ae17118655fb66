import { readSync } from 'node:fs';

const WINDOW_BYTES = 64 * 1024;

/** One field of a message: its number and its varint value, or the range of its bytes. */
export type Field = { number: number; value: bigint } | { number: number; start: number; end: number };

/**
 * Reads the wire format of protocol buffers straight from a file through one small window, so that gigabytes of
 * embedded weights are stepped over and never read. Throws SyntaxError where the bytes cannot be a message.
 */
export class ProtobufFile {
  readonly #fd: number;
  readonly size: number;
  readonly #window = Buffer.alloc(WINDOW_BYTES);
  #windowStart = 0;
  #windowEnd = 0;

  constructor(fd: number, size: number) {
    this.#fd = fd;
    this.size = size;
  }

  *fields(start: number, end: number): Generator<Field> {
    let at = start;
    while (at < end) {
      const tag = this.#varint(at, end);
      at = tag.next;
      const number = Number(tag.value >> 3n);
      const wireType = Number(tag.value & 7n);
      if (number === 0) throw new SyntaxError(`field number 0 at byte ${at}`);
      if (wireType === 0) {
        const varint = this.#varint(at, end);
        at = varint.next;
        yield { number, value: varint.value };
      } else if (wireType === 2) {
        const length = this.#varint(at, end);
        at = length.next + Number(length.value);
        if (at > end)
          throw new SyntaxError(`field ${number} is longer than its message at byte ${length.next}`);
        yield { number, start: length.next, end: at };
      } else if (wireType === 1 || wireType === 5) {
        at += wireType === 1 ? 8 : 4;
        if (at > end) throw new SyntaxError(`field ${number} is cut off at byte ${at}`);
      } else {
        throw new SyntaxError(`wire type ${wireType} at byte ${at}`);
      }
    }
  }

  text(field: Field): string {
    if (!('start' in field)) throw new SyntaxError(`field ${field.number} is a number, not a string`);
    const bytes = Buffer.alloc(field.end - field.start);
    const read = readSync(this.#fd, bytes, 0, bytes.length, field.start);
    if (read < bytes.length) throw new SyntaxError(`the file ends at byte ${field.start + read}`);
    return bytes.toString('utf8');
  }

  #varint(start: number, end: number): { value: bigint; next: number } {
    let value = 0n;
    for (let at = start, shift = 0n; at < end && shift < 70n; at++, shift += 7n) {
      const byte = this.#byte(at);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return { value, next: at + 1 };
    }
    throw new SyntaxError(`an unfinished number at byte ${start}`);
  }

  #byte(at: number): number {
    if (at < this.#windowStart || at >= this.#windowEnd) {
      this.#windowStart = at;
      this.#windowEnd = at + readSync(this.#fd, this.#window, 0, WINDOW_BYTES, at);
      if (this.#windowEnd === at) throw new SyntaxError(`the file ends at byte ${at}`);
    }
    return this.#window[at - this.#windowStart]!;
  }
}
