/** A mistake of the user's: printed as message and hint, never with a stack trace; exit code 2. */
export class UserError extends Error {
  readonly hint: string | undefined;
  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'UserError';
    this.hint = options.hint;
  }
}

/** The results store or the machine failed (no space, torn file, lock held); exit code 4. */
export class InfrastructureError extends Error {
  readonly hint: string | undefined;
  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'InfrastructureError';
    this.hint = options.hint;
  }
}

export const ENGINE_ERROR_CODES = [
  'unavailable',
  'unsupported',
  'failed',
  'oom',
  'timeout',
  'crashed',
  'killed',
  'protocol-error',
] as const;
export type EngineErrorCode = (typeof ENGINE_ERROR_CODES)[number];

/** An engine could not do a piece of work; becomes the cell's status and reason, the sweep goes on. */
export class EngineError extends Error {
  readonly code: EngineErrorCode;
  /** False when the session can take the next cell, true when its process or memory is gone. */
  readonly sessionLost: boolean;
  constructor(
    code: EngineErrorCode,
    message: string,
    options: { sessionLost?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'EngineError';
    this.code = code;
    this.sessionLost = options.sessionLost ?? false;
  }
}
