import type { Engine, EngineSession } from '../engines/engine.ts';
import { optionsOf } from '../engines/options.ts';
import { EngineError } from '../errors.ts';
import { watchOtherLoad } from '../machine/load.ts';
import { checkSameSession } from '../results/resume.ts';
import { type Cell, sessionKey } from '../schema/cell.ts';
import type { Effective, LoadRequest } from '../schema/protocol.ts';
import type { SessionRecord } from '../schema/record.ts';
import type { Conditions } from './cell-run.ts';
import { ChildSession } from './child/session.ts';
import type { Waited } from './child/wait-meter.ts';
import type { PreparedArtefact, RunContext } from './context.ts';
import { IdleWatch, type Resident } from './idle.ts';
import { type Isolation, isolationOf, openSession } from './open-session.ts';
import { type ParityShape, parityCapacity } from './parity/shape.ts';
import { largest, type ScheduledCell } from './schedule.ts';

/** A session that keeps dying is given up after this many starts. */
const MOST_STARTS = 3;

/** The sessions of one block: opened when first needed, reopened after a loss, closed together. */
export class SessionPool {
  readonly #context: RunContext;
  readonly #parity: readonly ParityShape[];
  readonly #open = new Map<string, EngineSession>();
  readonly #children = new Map<string, ChildSession>();
  readonly #starts = new Map<string, number>();
  readonly #effective = new Map<string, Effective>();
  readonly #given = new Map<string, EngineError>();
  readonly #idle = new IdleWatch();

  constructor(context: RunContext, parity: readonly ParityShape[]) {
    this.#context = context;
    this.#parity = parity;
  }

  /** @throws EngineError when it cannot be opened, at once if that was seen before. */
  async get(cells: readonly ScheduledCell[]): Promise<EngineSession> {
    const key = sessionKey(cells[0]!.cell);
    const present = this.#open.get(key);
    if (present !== undefined) return present;
    const given = this.#given.get(key);
    if (given !== undefined) throw given;
    try {
      const starts = (this.#starts.get(key) ?? 0) + 1;
      if (starts > MOST_STARTS)
        throw new EngineError('failed', `given up after ${MOST_STARTS} lost sessions`);
      this.#starts.set(key, starts);
      const session = await this.#start(key, cells, undefined);
      this.#open.set(key, session);
      return session;
    } catch (error) {
      if (error instanceof EngineError) this.#given.set(key, error);
      throw error;
    }
  }

  /** A session of its own in a process of its own, for measuring memory; the caller closes it. */
  async openIsolated(cells: readonly ScheduledCell[]): Promise<EngineSession> {
    return this.#start(`${sessionKey(cells[0]!.cell)} (memory)`, cells, 'process');
  }

  /** What a session that was opened said of itself; empty for one that never was. */
  effective(cell: Cell): Effective {
    return this.#effective.get(sessionKey(cell)) ?? {};
  }

  isOpen(cell: Cell): boolean {
    return this.#open.has(sessionKey(cell));
  }

  isInProcess(cell: ScheduledCell): boolean {
    return isolationOf(this.#engine(cell), this.#context.sweep.isolation) === 'in-process';
  }

  /** Ends a session that is no longer wanted, and may be opened again any number of times. */
  async close(cell: Cell): Promise<void> {
    this.#starts.delete(sessionKey(cell));
    await this.closeLost(cell);
  }

  /** Ends what is left of a session that was lost; it is opened again a few times only. */
  async closeLost(cell: Cell): Promise<void> {
    const key = sessionKey(cell);
    const session = this.#open.get(key);
    this.#open.delete(key);
    await session?.close();
    this.#children.delete(key);
  }

  async closeAll(): Promise<void> {
    for (const [key, session] of this.#open) {
      this.#open.delete(key);
      await this.#context.clock.within('closing', () => session.close());
    }
    this.#children.clear();
  }

  /** Processes whose load is the benchmark's own. */
  pids(): number[] {
    return [process.pid, ...[...this.#children.values()].map((child) => child.pid)];
  }

  /** Lets the sessions whose turn is over go to sleep before another is timed. */
  async settleOthers(cell: Cell): Promise<void> {
    await this.#context.clock.within('waiting for other engines to sleep', () =>
      this.#idle.settle(this.#residents(cell)),
    );
  }

  /** Starts to watch what else uses the processor while this cell's session is timed. */
  watchConditions(cell: Cell): () => Conditions {
    const key = sessionKey(cell);
    const child = this.#children.get(key);
    const otherLoad = watchOtherLoad(this.pids());
    const disturbance = this.#idle.watch(this.#residents(cell));
    const before = child?.waited;
    return () => {
      if (child === undefined) this.#idle.attribute(key);
      const { idleCores, idleSession, helperCores } = disturbance();
      const harnessCores = child && before ? waitingCores(before, child.waited) : helperCores;
      return { otherLoadCores: otherLoad(), idleCores, idleSession, harnessCores };
    };
  }

  /** Every other session that is loaded now. */
  #residents(cell: Cell): Resident[] {
    return [...this.#open.keys()]
      .filter((key) => key !== sessionKey(cell))
      .map((key) => ({ key, pid: this.#children.get(key)?.pid ?? null }));
  }

  /** Ends every runner at once. */
  kill(): void {
    for (const child of this.#children.values()) child.kill();
  }

  #engine({ choice }: ScheduledCell): Engine {
    return this.#context.engines.get(choice.engine)!;
  }

  async #start(
    key: string,
    cells: readonly ScheduledCell[],
    isolation: Isolation | undefined,
  ): Promise<EngineSession> {
    const { sweep, clock, onEvent, signal } = this.#context;
    const { cell, choice } = cells[0]!;
    const engine = this.#engine(cells[0]!);
    onEvent({ type: 'loading', session: key });
    const artefact = await clock.within('preparing models', () =>
      this.#context.artefact(cell.model, engine.meta.artefact, cell.precision),
    );
    const request = loadRequest(
      cells,
      this.#parity,
      artefact,
      optionsOf(engine, choice, sweep),
      this.#context.threads,
    );
    const where = isolation ?? isolationOf(engine, sweep.isolation);
    const session = await clock.within('loading', () =>
      clock.engine(() => openSession(engine, request, where, sweep.timeLimits, signal)),
    );
    if (session instanceof ChildSession) this.#children.set(key, session);
    else this.#idle.attribute(key);
    if (isolation !== undefined) return clock.watch(session);
    try {
      await this.#record(cell, artefact, session, where);
    } catch (error) {
      // Nobody else knows of it yet, and a runner that stayed would keep the harness from its end.
      await session.close();
      this.#children.delete(key);
      throw error;
    }
    return clock.watch(session);
  }

  async #record(
    cell: Cell,
    artefact: PreparedArtefact,
    session: EngineSession,
    isolation: Isolation,
  ): Promise<void> {
    const { loadNs, versions, effective } = session.loaded;
    const { engine, model, precision, device } = cell;
    const record: SessionRecord = {
      kind: 'session',
      engine,
      model,
      precision,
      device,
      artefact: artefact.sha256 === '' ? null : artefact.sha256,
      chain: artefact.chain ?? null,
      loadNs,
      versions,
      effective: { ...effective, isolation },
    };
    checkSameSession(this.#context.earlier, record);
    this.#effective.set(sessionKey(cell), effective);
    await this.#context.append(record);
  }
}

/** Null when nothing was waited for. */
function waitingCores(before: Waited, after: Waited): number | null {
  const wallNs = after.wallNs - before.wallNs;
  return wallNs > 0 ? (after.cpuNs - before.cpuNs) / wallNs : null;
}

/** Room for all of a session's cells, and for the parity checks before them. */
export function loadRequest(
  cells: readonly ScheduledCell[],
  parity: readonly ParityShape[],
  artefact: PreparedArtefact,
  options: Record<string, unknown>,
  threads: number,
): LoadRequest {
  const { model, precision, device } = cells[0]!.cell;
  const batchSize = largest(cells, ({ cell: { batchSize } }) => batchSize);
  const sequenceLength = largest(
    cells,
    ({ cell: { promptLength, generate } }) => promptLength.length + generate,
  );
  return {
    model,
    artefactDir: artefact.dir,
    precision,
    device,
    threads,
    maxBatchSize: Math.max(batchSize, ...parity.map((shape) => shape.batchSize)),
    maxSequenceLength: Math.max(sequenceLength, ...parity.map(parityCapacity)),
    options,
  };
}
