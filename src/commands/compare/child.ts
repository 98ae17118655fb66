import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { InfrastructureError, UserError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import { packageRoot } from '../../files/package-root.ts';

/** Thrown when the user interrupted a sweep of the gate: what was measured stays on disk. */
export class GateInterrupted extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super('interrupted');
    this.exitCode = exitCode;
  }
}

/** The program of an ortbench checkout; this one's own without a folder. @throws UserError when it is not built */
export async function programOf(folder: string | undefined): Promise<string> {
  const program = join(folder ?? packageRoot, 'dist', 'cli.js');
  await access(program).catch((error: unknown) => {
    throw new UserError(`${program} is not there`, {
      hint: `build it: npm run build in that folder`,
      cause: error,
    });
  });
  return program;
}

/**
 * One sweep in a process of its own. Progress goes to this one's stderr. Failed cells are no error here: they are in the
 * results, and the gate judges them. @throws GateInterrupted; InfrastructureError when it left no results
 */
export async function runSweepProcess(program: string, args: readonly string[]): Promise<void> {
  const controller = new AbortController();
  // A terminal sends Ctrl-C to the child too; this process waits for its orderly end. A plain kill is passed on.
  const ignore = () => {};
  const pass = () => controller.abort();
  process.on('SIGINT', ignore);
  process.on('SIGTERM', pass);
  try {
    const { exitCode, failed } = await execa(process.execPath, [program, 'sweep', ...args], {
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'inherit',
      reject: false,
      cancelSignal: controller.signal,
      forceKillAfterDelay: 30_000,
    });
    if (controller.signal.aborted) throw new GateInterrupted(EXIT.terminated);
    if (exitCode === EXIT.interrupted || exitCode === EXIT.terminated) throw new GateInterrupted(exitCode);
    if (exitCode === EXIT.usage) throw new UserError('a sweep of the gate refused its config: see above');
    if (failed && exitCode !== EXIT.infrastructure)
      throw new InfrastructureError(`a sweep of the gate ended with exit code ${exitCode ?? 'none'}`);
  } finally {
    process.off('SIGINT', ignore);
    process.off('SIGTERM', pass);
  }
}
