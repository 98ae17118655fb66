import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { RunnerCommand } from '../../engines/engine.ts';
import { EngineError } from '../../errors.ts';
import { countOomKills, type OomCounter, oomCounterOf } from '../../machine/oom.ts';
import { groupIsEmpty } from '../../machine/process-group.ts';
import { runnerLines, Tail } from './lines.ts';

/** How long a runner may take to obey SIGTERM before it is killed: with all that follows, less than five seconds. */
const TERMINATE_GRACE_MS = 4_000;
/** How long the kernel may take to end a killed group; a process that waits for a disk ends only after that. */
const GROUP_GRACE_MS = 2_000;
const POLL_MS = 20;
/** Of -1000 to 1000: where memory runs out, the kernel is to end a runner and not the harness that must tell of it. */
const OOM_SCORE = '500';

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
  readonly #oomCounter: OomCounter;
  #gone = false;
  #oomKillsBefore: number | null;

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
    this.#oomCounter = oomCounterOf(child.pid ?? 'self');
    this.#oomKillsBefore = countOomKills(this.#oomCounter);
    if (process.platform === 'linux' && this.pid > 0) preferForOomKill(this.pid);
  }

  /** Sends a command; what the kernel kills from here on is taken to be because of it. */
  write(line: string): void {
    this.#oomKillsBefore = countOomKills(this.#oomCounter);
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
    // Memory of a grandchild would count against the next engine.
    for (let waited = 0; waited < GROUP_GRACE_MS && !groupIsEmpty(this.pid); waited += POLL_MS)
      await sleep(POLL_MS);
  }

  /** Ends the group at once. A number that may by now be another process's is not signalled. */
  kill(): void {
    if (!this.#gone) this.#signalGroup('SIGKILL');
  }

  /**
   * Why the runner ended when it was not told to, with the end of its stderr.
   * @param asked whether an answer was due; a failure behind an answer is a breach of the protocol
   */
  describeExit({ code, signal }: RunnerExit, asked = true): EngineError {
    const tail = this.#stderr.lines(8);
    const said = tail === '' ? '' : `; its last words:\n${tail}`;
    const lost = { sessionLost: true };
    if (signal === 'SIGKILL') {
      const evidence = this.#oomEvidence();
      return evidence === null
        ? new EngineError('killed', `the runner was killed (SIGKILL) and nothing says by whom${said}`, lost)
        : new EngineError('oom', `the kernel killed the runner for lack of memory: ${evidence}${said}`, lost);
    }
    if (signal !== undefined)
      return new EngineError('crashed', `the runner crashed with ${signal}${said}`, lost);
    if (code === undefined)
      return new EngineError('unavailable', `the runner could not be started${said}`, lost);
    if (!asked)
      return new EngineError(
        'protocol-error',
        `the runner ended with exit code ${code} after its answer, and nobody had asked it to${said}`,
        lost,
      );
    if (code === 0)
      return new EngineError('protocol-error', `the runner ended without a result${said}`, lost);
    return new EngineError('crashed', `the runner ended with exit code ${code}${said}`, lost);
  }

  /** A SIGKILL may come from anybody: only a kill that the kernel counted meanwhile says that memory was the reason. */
  #oomEvidence(): string | null {
    const before = this.#oomKillsBefore;
    const now = countOomKills(this.#oomCounter);
    if (before === null || now === null || now <= before) return null;
    return `its count of OOM kills ${this.#oomCounter.scope} went from ${before} to ${now}`;
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

function preferForOomKill(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, OOM_SCORE);
  } catch {
    // It has ended already, or the sandbox does not allow it: then the kernel's own choice stands.
  }
}
