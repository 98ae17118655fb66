import type { z } from 'zod';
import type { EngineSession, RunnerCommand } from '../../engines/engine.ts';
import { EngineError } from '../../errors.ts';
import {
  type Command,
  type GenerateRequest,
  type Generation,
  generationSchema,
  type Loaded,
  type LoadRequest,
  loadedSchema,
  PROTOCOL_VERSION,
  type Prepared,
  preparedSchema,
  type Reply,
  type Shape,
  type TeacherForceRequest,
} from '../../schema/protocol.ts';
import { RunnerProcess } from './process.ts';
import { parseReply, protocolError } from './reply.ts';
import { type Waited, WaitMeter } from './wait-meter.ts';

export interface TimeLimits {
  /** Start, hello and load together. */
  readonly readySeconds: number;
  /** One command of a cell. */
  readonly cellSeconds: number;
  readonly closeSeconds: number;
}

type Unsent<C> = C extends Command ? Omit<C, 'id'> : never;
type ReplyOf<T extends Reply['type']> = Extract<Reply, { type: T }>;

interface Pending {
  readonly id: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: EngineError) => void;
}

/** A session in a runner process, driven over the runner protocol. Nothing is ever timed on this side of the pipe. */
export class ChildSession implements EngineSession {
  loaded!: Loaded;
  readonly #process: RunnerProcess;
  readonly #limits: TimeLimits;
  #nextId = 0;
  #pending: Pending | null = null;
  #broken: EngineError | null = null;
  #closing = false;
  readonly #meter = new WaitMeter();

  private constructor(command: RunnerCommand, limits: TimeLimits) {
    this.#limits = limits;
    this.#process = new RunnerProcess(
      command,
      (line) => this.#receive(line),
      (error) => this.#break(error),
    );
    void this.#process.exited.then((exit) => {
      // Whoever still waits for an answer must hear of it, even of an end that was asked for.
      if (!this.#closing || this.#pending !== null)
        this.#break(this.#process.describeExit(exit, this.#pending !== null));
    });
  }

  /** Starts the runner, checks its protocol version and loads the model; an abort of `signal` ends it while it does. */
  static async open(
    command: RunnerCommand,
    request: LoadRequest,
    limits: TimeLimits,
    signal?: AbortSignal,
  ): Promise<ChildSession> {
    const session = new ChildSession(command, limits);
    const onAbort = () => session.kill();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const deadline = performance.now() + limits.readySeconds * 1000;
      const hello = await session.#ask(
        { type: 'hello', protocol: PROTOCOL_VERSION },
        'hello',
        limits.readySeconds,
      );
      if (hello.protocol !== PROTOCOL_VERSION) {
        throw new EngineError(
          'protocol-error',
          `the runner speaks protocol ${hello.protocol}, this is ${PROTOCOL_VERSION}`,
        );
      }
      const left = Math.max(0.1, (deadline - performance.now()) / 1000);
      const loaded = await session.#ask({ type: 'load', ...request }, 'loaded', left);
      session.loaded = withoutEnvelope(loaded, loadedSchema);
      session.loaded.versions = { ...hello.versions, ...session.loaded.versions };
      return session;
    } catch (error) {
      await session.#end();
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** What the harness itself used while this runner generated. */
  get waited(): Waited {
    return this.#meter.waited;
  }

  async prepare(shape: Shape): Promise<Prepared> {
    const reply = await this.#ask({ type: 'prepare', ...shape }, 'prepared', this.#limits.cellSeconds);
    return withoutEnvelope(reply, preparedSchema);
  }

  async generate(request: GenerateRequest): Promise<Generation> {
    const reply = await this.#ask({ type: 'generate', ...request }, 'generated', this.#limits.cellSeconds);
    return withoutEnvelope(reply, generationSchema);
  }

  async teacherForce(request: TeacherForceRequest): Promise<{ steps: number; vocabSize: number }> {
    const reply = await this.#ask(
      { type: 'teacherForce', ...request },
      'teacherForced',
      this.#limits.cellSeconds,
    );
    return { steps: reply.steps, vocabSize: reply.vocabSize };
  }

  /** Ends the runner, politely where it still answers. A second call does nothing. */
  async close(): Promise<void> {
    if (this.#broken === null && !this.#closing) {
      try {
        await this.#ask({ type: 'close' }, 'closed', this.#limits.closeSeconds);
      } catch (error) {
        // A runner that fails while closing has already delivered its results; it is ended below all the same.
        if (!(error instanceof EngineError)) throw error;
      }
    }
    await this.#end();
  }

  /** Ends the runner without a word, for an interrupted run. */
  kill(): void {
    this.#closing = true;
    this.#process.kill();
  }

  async #end(): Promise<void> {
    this.#closing = true;
    this.#process.endInput();
    await this.#process.terminate();
  }

  #ask<T extends Reply['type']>(command: Unsent<Command>, expected: T, seconds: number): Promise<ReplyOf<T>> {
    if (this.#broken !== null) return Promise.reject(this.#broken);
    if (this.#pending !== null) throw new Error('calls to one session must not overlap');
    const id = this.#nextId++;
    return new Promise<ReplyOf<T>>((resolve, reject) => {
      const timer = setTimeout(() => {
        // Hello and load share a limit: what was left of it for the second is not what the user set.
        const starting = command.type === 'hello' || command.type === 'load';
        const limit = starting ? this.#limits.readySeconds : seconds;
        const during = starting ? 'to become ready' : `for "${command.type}"`;
        this.#break(
          new EngineError(
            'timeout',
            `the runner took more than ${limit.toFixed(0)} s ${during} and was ended`,
            {
              sessionLost: true,
            },
          ),
        );
        void this.#process.terminate();
      }, seconds * 1000);
      this.#pending = {
        id,
        resolve: (reply) => {
          clearTimeout(timer);
          if (reply.type === 'error') reject(new EngineError(reply.code, reply.message));
          else if (reply.type === expected) resolve(reply as ReplyOf<T>);
          else {
            const error = protocolError(`the runner answered "${reply.type}" where "${expected}" was due`);
            this.#break(error);
            reject(error);
          }
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.#process.write(JSON.stringify({ ...command, id }));
      if (command.type === 'generate') this.#meter.begin();
    });
  }

  #receive(line: string): void {
    this.#meter.end();
    if (this.#broken !== null) return;
    const pending = this.#pending;
    const reply = parseReply(line);
    if (reply instanceof EngineError) this.#break(reply);
    else if (pending === null || reply.id !== pending.id) {
      this.#break(protocolError(`the runner answered command ${reply.id}, which was not asked`));
    } else {
      this.#pending = null;
      pending.resolve(reply);
    }
  }

  /** After this every call fails with the first cause. */
  #break(error: EngineError): void {
    this.#broken ??= error;
    const pending = this.#pending;
    this.#pending = null;
    pending?.reject(this.#broken);
  }
}

function withoutEnvelope<T extends z.ZodType>(reply: { id: number; type: string }, schema: T): z.infer<T> {
  const { id: _id, type: _type, ...payload } = reply;
  return schema.parse(payload);
}
