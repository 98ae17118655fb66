import { EngineError } from '../../errors.ts';

/** Logits go through files; the longest honest message holds the token ids of one run. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024;

/**
 * Splits a byte stream into lines. Works on bytes, so that a character split between two chunks stays whole, and
 * refuses to buffer more than one line's limit.
 */
export class LineSplitter {
  #parts: Buffer[] = [];
  #bytes = 0;
  readonly #limit: number;

  constructor(limit = MAX_LINE_BYTES) {
    this.#limit = limit;
  }

  /** @throws EngineError('protocol-error') when a line grows beyond the limit. */
  *push(chunk: Buffer): Generator<string> {
    let rest = chunk;
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      this.#add(rest.subarray(0, end));
      yield Buffer.concat(this.#parts).toString('utf8');
      this.#parts = [];
      this.#bytes = 0;
      rest = rest.subarray(end + 1);
    }
    this.#add(rest);
  }

  #add(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#limit) {
      this.#parts = [];
      throw new EngineError('protocol-error', `the runner sent a line of more than ${this.#limit} bytes`, {
        sessionLost: true,
      });
    }
    if (part.length > 0) this.#parts.push(part);
  }
}

/** Keeps the last bytes of a stream, however much is written to it. */
export class Tail {
  #text = '';
  readonly #limit: number;

  constructor(limit = 16 * 1024) {
    this.#limit = limit;
  }

  push(chunk: Buffer): void {
    this.#text = (this.#text + chunk.toString('utf8')).slice(-this.#limit);
  }

  /** The last non-empty lines, newest last. */
  lines(count: number): string {
    return this.#text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-count)
      .join('\n');
  }
}
