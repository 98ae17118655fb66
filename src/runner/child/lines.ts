import { EngineError } from '../../errors.ts';
import { LineSplitter } from '../../files/lines.ts';

/** Logits go through files; the longest honest message holds the token ids of one run. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** Splits what a runner sends; throws EngineError('protocol-error') for a line beyond the limit. */
export function runnerLines(limit = MAX_LINE_BYTES): LineSplitter {
  return new LineSplitter(
    limit,
    () =>
      new EngineError('protocol-error', `the runner sent a line of more than ${limit} bytes`, {
        sessionLost: true,
      }),
  );
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
