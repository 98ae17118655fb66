import { InfrastructureError } from '../errors.ts';

/** A failed call of the operating system as what it is, a fault of the machine; any other error as it came. */
export function asDiskError(error: unknown, path: string, hint: string): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  return new InfrastructureError(`${path} cannot be written: ${error.message}`, { hint, cause: error });
}
