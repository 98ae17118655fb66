import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { EngineError } from '../errors.ts';
import { redactSecrets } from '../files/redact.ts';
import { ensurePythonEnvironment } from '../python/environment.ts';
import { runnersDir } from '../python/locks.ts';

const PROGRESS = 'ortbench: ';
const KEPT_LINES = 15;
const KEPT_CHARACTERS = 400;
/** Long enough to hash what was made and come back, short enough to be gone before anything is timed. */
const IDLE_MS = 2000;
const KILL_AFTER_MS = 5000;

function spawnPreparer(python: string) {
  return execa(python, ['-m', 'ortbench_runners.prepare'], {
    env: { PYTHONPATH: runnersDir, PYTHONSAFEPATH: '1', PYTHONUNBUFFERED: '1', PYTHONIOENCODING: 'utf-8' },
    stdin: 'pipe',
    buffer: false,
    reject: false,
    forceKillAfterDelay: KILL_AFTER_MS,
  });
}

interface Pending {
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly onProgress: (line: string) => void;
}

/** A Python process that answers one request at a time, and ends by itself when none comes for a while. */
export class PreparerProcess {
  readonly #child: ReturnType<typeof spawnPreparer>;
  readonly #tail: string[] = [];
  #pending: Pending | null = null;
  #idle: NodeJS.Timeout | undefined;
  ended = false;

  /** Makes the Python environment first where it is missing. */
  static async start(onProgress: (line: string) => void): Promise<PreparerProcess> {
    return new PreparerProcess(await ensurePythonEnvironment(onProgress));
  }

  private constructor(python: string) {
    this.#child = spawnPreparer(python);
    // A write to a process that has just died: its end says why.
    this.#child.stdin.on('error', () => {});
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#onReply(line));
    createInterface({ input: this.#child.stderr }).on('line', (line) => this.#onChatter(line));
    void this.#child.then(({ exitCode, signal, originalMessage }) => {
      this.ended = true;
      const how = signal ?? (exitCode === undefined ? originalMessage : `exit code ${exitCode}`);
      const text = `preparing failed (${how})${this.#tail.length === 0 ? '' : `:\n${this.#tail.join('\n')}`}`;
      this.#settle()?.reject(new EngineError('failed', redactSecrets(text)));
    });
  }

  /** Throws EngineError when the process ends before it answers, and the signal's reason when that aborts. */
  async ask(message: object, onProgress: (line: string) => void, signal?: AbortSignal): Promise<unknown> {
    clearTimeout(this.#idle);
    this.#hold(true);
    this.#tail.length = 0;
    const stop = () => {
      this.ended = true;
      this.#child.kill();
      this.#settle()?.reject(signal?.reason);
    };
    signal?.addEventListener('abort', stop, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        this.#pending = { resolve, reject, onProgress };
        this.#child.stdin.write(`${JSON.stringify(message)}\n`);
      });
    } finally {
      signal?.removeEventListener('abort', stop);
      this.#hold(false);
      this.#idle = setTimeout(() => this.end(), IDLE_MS).unref();
    }
  }

  async end(): Promise<void> {
    clearTimeout(this.#idle);
    this.ended = true;
    this.#child.stdin.end();
    this.#hold(true);
    await this.#child;
  }

  #onReply(line: string): void {
    const pending = this.#settle();
    try {
      pending?.resolve(JSON.parse(line));
    } catch (cause) {
      pending?.reject(
        new EngineError('failed', 'preparing answered with something else than JSON', { cause }),
      );
    }
  }

  #onChatter(line: string): void {
    if (line.startsWith(PROGRESS)) this.#pending?.onProgress(line.slice(PROGRESS.length));
    else if (this.#tail.push(line.slice(-KEPT_CHARACTERS)) > KEPT_LINES) this.#tail.shift();
  }

  #settle(): Pending | null {
    const pending = this.#pending;
    this.#pending = null;
    return pending;
  }

  /** Whether this process keeps the harness from ending. Between calls it does not. */
  #hold(on: boolean): void {
    const handles = [
      this.#child,
      this.#child.stdin,
      this.#child.stdout,
      this.#child.stderr,
    ] as unknown as Socket[];
    for (const handle of handles) on ? handle.ref() : handle.unref();
  }
}
