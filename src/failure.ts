import { EngineError, InfrastructureError, UserError } from './errors.ts';
import { EXIT } from './exit-codes.ts';
import { redactSecrets } from './files/redact.ts';

/** What is printed for an error that ends a command, and the exit code that it means. */
export interface Failure {
  readonly text: string;
  readonly exitCode: number;
}

/** Errors that are foreseen are message and hint; a stack trace is for defects, and only on request. */
export function describeFailure(error: unknown, debug: boolean): Failure {
  const { text, exitCode } = failureOf(error, debug);
  return { text: redactSecrets(text), exitCode };
}

function failureOf(error: unknown, debug: boolean): Failure {
  if (error instanceof UserError || error instanceof InfrastructureError) {
    const hint = error.hint === undefined ? '' : `hint: ${error.hint}\n`;
    const exitCode = error instanceof UserError ? EXIT.usage : EXIT.infrastructure;
    return { text: `error: ${error.message}\n${hint}`, exitCode };
  }
  if (error instanceof EngineError) {
    return { text: `error: ${error.code}: ${error.message}\n`, exitCode: EXIT.infrastructure };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && 'syscall' in error) {
    // Asked of the operating system and refused: no space, no permission, too many open files.
    const hint = 'hint: the system refused this; mend it and run the same command again\n';
    return { text: `error: ${message}\n${hint}`, exitCode: EXIT.infrastructure };
  }
  const advice = 'This is a defect of ortbench. Run it again with DEBUG=ortbench to see where.\n';
  const stack = debug && error instanceof Error ? `${error.stack}\n` : '';
  return { text: `error: ${message}\n${advice}${stack}`, exitCode: EXIT.infrastructure };
}
