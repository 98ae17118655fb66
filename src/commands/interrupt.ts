import { EXIT } from '../exit-codes.ts';

export interface Interrupt {
  readonly signal: AbortSignal;
  /** Null while nobody interrupted. */
  exitCode(): number | null;
  /** Gives the signals back to Node. */
  release(): void;
}

/**
 * The first Ctrl-C (or SIGTERM) asks for an orderly end: what is measured stays, runners end, a partial report is written.
 * The second ends at once; the files are valid at any moment.
 */
export function listenForInterrupt(onFirst: () => void): Interrupt {
  const controller = new AbortController();
  let code: number | null = null;
  const listen = (exitCode: number) => () => {
    if (code !== null) process.exit(exitCode);
    code = exitCode;
    onFirst();
    controller.abort();
  };
  const onInt = listen(EXIT.interrupted);
  const onTerm = listen(EXIT.terminated);
  process.on('SIGINT', onInt);
  process.on('SIGTERM', onTerm);
  return {
    signal: controller.signal,
    exitCode: () => code,
    release() {
      process.off('SIGINT', onInt);
      process.off('SIGTERM', onTerm);
    },
  };
}
