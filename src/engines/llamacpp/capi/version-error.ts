import { EngineError } from '../../../errors.ts';

/** A library of a version whose C API this program was not written for: its own tools may still be driven. */
export class UnknownVersionError extends EngineError {
  constructor(what: string, options: { cause?: unknown } = {}) {
    super(
      'unavailable',
      `${what}: use a library of llama.cpp 0.5, the version whose C API this was written for`,
      options,
    );
  }
}
