import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { RunnerCommand } from '../../engines/engine.ts';
import { EngineError } from '../../errors.ts';
import { countOomKills } from '../../machine/oom.ts';
import { runnerLines, Tail } from './lines.ts';

/** How long a runner may take to obey SIGTERM before it is killed. */
const TERMINATE_GRACE_MS = 5_000;

export interface RunnerExit {
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

/**
 * A runner process in a process group of its own, with its output read as lines and the end of its stderr kept.
 * Everything it started ends with it; end of its stdin is its order to end by itself, so it ends with the harness too.
 */
export class RunnerProcess {
  readonly pid: number;
  readonly exited: Promise<RunnerExit>;
  readonly #child;
  readonly #stderr = new Tail();
  #gone = false;
  readonly #oomKillsBefore = countOomKills();

  constructor(
    command: RunnerCommand,
    onLine: (line: string) => void,
    onBroken: (error: EngineError) => void,
  ) {
    const child = execa(command.file, command.args, {
      env: command.env,
      extendEnv: false,
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'pipe',
      buffer: false,
      reject: false,
      detached: true,
      cleanup: false,
    });
    this.#child = child;
    const lines = runnerLines();
    child.stdout.on('data', (chunk: Buffer) => {
      try {
        for (const line of lines.push(chunk)) onLine(line.toString('utf8'));
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        onBroken(error);
      }
    });
    child.stderr.on('data', (chunk: Buffer) => this.#stderr.push(chunk));
    // A runner that is gone is reported by its exit; writing to its closed pipe is no second error.
    child.stdin.on('error', () => {});
    this.exited = child.then(({ exitCode, signal, originalMessage }) => {
      if (exitCode === undefined && signal === undefined && originalMessage) {
        this.#stderr.push(Buffer.from(`\n${originalMessage}\n`));
      }
      this.#gone = true;
      return { code: exitCode, signal };
    });
    this.pid = child.pid ?? -1;
  }

  write(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  endInput(): void {
    this.#child.stdin.end();
  }

  /** SIGTERM to the whole group, SIGKILL after a grace period; resolves when the runner is gone. */
  async terminate(): Promise<void> {
    this.#signalGroup('SIGTERM');
    const timer = new AbortController();
    const gone = await Promise.race([
      this.exited.then(() => true),
      sleep(TERMINATE_GRACE_MS, false, { signal: timer.signal }).catch(() => false),
    ]);
    timer.abort();
    // Also after an orderly end: a grandchild may have stayed behind in the group.
    this.#signalGroup('SIGKILL');
    if (!gone) await this.exited;
  }

  /** Ends the group at once. A number that may by now be another process's is not signalled. */
  kill(): void {
    if (!this.#gone) this.#signalGroup('SIGKILL');
  }

  /** Why the runner ended when it was not asked to, with the end of its stderr. */
  describeExit({ code, signal }: RunnerExit): EngineError {
    const tail = this.#stderr.lines(8);
    const said = tail === '' ? '' : `; its last words:\n${tail}`;
    const lost = { sessionLost: true };
    if (signal === 'SIGKILL') {
      const outOfMemory = countOomKills() > this.#oomKillsBefore;
      return outOfMemory
        ? new EngineError('oom', `the kernel killed the runner for lack of memory${said}`, lost)
        : new EngineError('killed', `the runner was killed (SIGKILL) and nothing says by whom${said}`, lost);
    }
    if (signal !== undefined)
      return new EngineError('crashed', `the runner crashed with ${signal}${said}`, lost);
    if (code === undefined)
      return new EngineError('unavailable', `the runner could not be started${said}`, lost);
    if (code === 0)
      return new EngineError('protocol-error', `the runner ended without a result${said}`, lost);
    return new EngineError('crashed', `the runner ended with exit code ${code}${said}`, lost);
  }

  #signalGroup(signal: NodeJS.Signals): void {
    if (this.pid <= 0) return;
    try {
      process.kill(process.platform === 'win32' ? this.pid : -this.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
