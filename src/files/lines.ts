/**
 * Splits a byte stream into lines without their newlines. Works on bytes, so that a character split between two chunks
 * stays whole, and refuses to buffer more than one line's limit.
 */
export class LineSplitter {
  #parts: Buffer[] = [];
  #bytes = 0;
  readonly #limit: number;
  readonly #tooLong: (limit: number) => Error;

  /** @param tooLong makes the error that `push` throws when a line grows beyond `limit` bytes. */
  constructor(limit: number, tooLong: (limit: number) => Error) {
    this.#limit = limit;
    this.#tooLong = tooLong;
  }

  *push(chunk: Buffer): Generator<Buffer> {
    let rest = chunk;
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      this.#add(rest.subarray(0, end));
      const line = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
      this.#parts = [];
      this.#bytes = 0;
      yield line;
      rest = rest.subarray(end + 1);
    }
    this.#add(rest);
  }

  /** Bytes after the last newline. */
  get pendingBytes(): number {
    return this.#bytes;
  }

  #add(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#limit) {
      this.#parts = [];
      throw this.#tooLong(this.#limit);
    }
    if (part.length > 0) this.#parts.push(part);
  }
}
