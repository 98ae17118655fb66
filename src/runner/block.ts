import { contextLimit } from '../engines/context-limit.ts';
import type { EngineSession } from '../engines/engine.ts';
import type { EngineError } from '../errors.ts';
import { watchClock } from '../machine/clock.ts';
import { type Cell, cellKey, sessionKey } from '../schema/cell.ts';
import type { ParityRecord } from '../schema/record.ts';
import type { Status } from '../schema/vocabulary.ts';
import { asEngineError, CellRun, type PeakMemory } from './cell-run.ts';
import type { RunContext } from './context.ts';
import { Interrupted } from './interrupted.ts';
import { judgeCell } from './judge.ts';
import { checkParity } from './parity/check.ts';
import type { References } from './parity/reference.ts';
import { type ParityShape, parityShapes, shapesFor, within } from './parity/shape.ts';
import { lackingMemory, Room } from './room.ts';
import { type Block, roundOrder, type ScheduledCell } from './schedule.ts';
import { SessionPool } from './sessions.ts';

/** Runs one block: one model on one device, all its engines, shape by shape, in interleaved rounds. */
export class BlockRun {
  readonly #block: Block;
  readonly #context: RunContext;
  readonly #references: References;
  readonly #parityShapes: readonly ParityShape[];
  readonly #pool: SessionPool;
  readonly #room: Room;
  /** Those that have no outcome yet. */
  readonly #runs: Map<string, CellRun>;
  readonly #parity = new Map<string, ParityRecord[]>();
  readonly #peaks = new Map<string, PeakMemory>();

  constructor(block: Block, finished: ReadonlySet<string>, references: References, context: RunContext) {
    this.#block = block;
    this.#references = references;
    this.#context = context;
    const scheduled = block.comparisons.flatMap(({ cells }) => cells);
    this.#parityShapes = parityShapes(scheduled, context.modelShape(block.model));
    this.#pool = new SessionPool(context, this.#parityShapes);
    this.#room = new Room(context, block.device);
    this.#runs = new Map(
      scheduled
        .filter(({ cell }) => !finished.has(cellKey(cell)))
        .map((scheduled) => [cellKey(scheduled.cell), new CellRun(scheduled, context)]),
    );
  }

  async run(): Promise<void> {
    const onAbort = () => this.#pool.kill();
    this.#context.signal.addEventListener('abort', onAbort, { once: true });
    try {
      for (const cells of this.#block.sessions.values()) await this.#introduce(cells);
      if (this.#block.residency === 'together') await this.#runTogether();
      else await this.#runOneByOne();
    } finally {
      this.#context.signal.removeEventListener('abort', onAbort);
      await this.#pool.closeAll();
      await this.#checkBaseline();
    }
  }

  /** What is done once for each session: a rehearsal of what would share the harness's process, and parity. */
  async #introduce(cells: readonly ScheduledCell[]): Promise<void> {
    await this.#leaveOutWhatDoesNotFit(cells);
    if (this.#context.sweep.measureMemory && this.#pool.isInProcess(cells[0]!)) await this.#rehearse(cells);
    const unfinished = this.#unfinished(cells);
    if (unfinished.length === 0) return;
    await this.#attempt(unfinished, async () => {
      const session = await this.#pool.get(cells);
      const records: ParityRecord[] = [];
      this.#parity.set(sessionKey(cells[0]!.cell), records);
      for (const shape of shapesFor(this.#parityShapes, cells)) {
        const record = await checkParity(
          cells[0]!,
          session,
          this.#references,
          within(shape, this.#mostTokens(cells[0]!)),
          this.#context,
        );
        records.push(record);
        await this.#context.append(record);
        this.#context.onEvent({ type: 'parity', record });
      }
    });
    if (this.#block.residency === 'one-by-one') await this.#closeAndWait(cells[0]!.cell);
  }

  #mostTokens({ cell, choice }: ScheduledCell): number {
    const { meta } = this.#context.engines.get(choice.engine)!;
    return contextLimit(meta, this.#context.modelShape(cell.model)).tokens;
  }

  async #runTogether(): Promise<void> {
    for (const { work, cells } of this.#block.comparisons) {
      const comparison = this.#unfinished(cells);
      for (const run of comparison) {
        await this.#attempt([run], async () => {
          await run.prepare(await this.#sessionOf(run), this.#peaks.get(cellKey(run.cell)) ?? null);
        });
      }
      for (let round = 0; round < this.#context.sweep.repetitions; round++) {
        const order = roundOrder(this.#unfinished(cells), this.#context.sweep.seed, work, round);
        for (const [turn, run] of order.entries()) {
          await this.#attempt([run], async () => this.#sample(run, round, turn));
        }
      }
      for (const run of this.#unfinished(cells)) await this.#finish(run);
    }
  }

  /** Engines that do not fit in memory together: each is loaded for its turn in each round, and warmed up anew. */
  async #runOneByOne(): Promise<void> {
    const sessions = [...this.#block.sessions.values()];
    for (let round = 0; round < this.#context.sweep.repetitions; round++) {
      const order = roundOrder(sessions, this.#context.sweep.seed, this.#block.model, round);
      for (const [turn, cells] of order.entries()) {
        await this.#leaveOutWhatDoesNotFit(cells);
        for (const run of this.#unfinished(cells)) {
          await this.#attempt([run], async () => {
            await run.prepare(await this.#sessionOf(run), this.#peaks.get(cellKey(run.cell)) ?? null);
            await this.#sample(run, round, turn);
          });
          run.forgetWork();
        }
        await this.#closeAndWait(cells[0]!.cell);
      }
    }
    for (const run of this.#unfinished(sessions.flat())) await this.#finish(run);
  }

  /**
   * Each cell once in a process of its own, before its engine is loaded into the harness's: that is where its memory is
   * measured, and where a crash or a kill for lack of memory is a row and not the end.
   */
  async #rehearse(cells: readonly ScheduledCell[]): Promise<void> {
    let session: EngineSession | null = null;
    try {
      for (const run of this.#unfinished(cells)) {
        if (run.done) continue;
        if (session === null) {
          const rest = this.#unfinished(cells);
          await this.#attempt(rest, async () => {
            session = await this.#pool.openIsolated(rest.map(({ scheduled }) => scheduled));
          });
          if (session === null) return;
        }
        const opened: EngineSession = session;
        const error = await this.#attempt([run], async () => {
          this.#peaks.set(cellKey(run.cell), await run.peakMemory(opened));
          run.forgetWork();
        });
        if (error?.sessionLost) {
          await opened.close();
          session = null;
        }
      }
    } finally {
      await (session as EngineSession | null)?.close();
    }
  }

  /** Before a session is loaded: cells that would need more memory than is free now are told so, and not tried. */
  async #leaveOutWhatDoesNotFit(cells: readonly ScheduledCell[]): Promise<void> {
    const unfinished = this.#unfinished(cells);
    if (unfinished.length === 0 || this.#pool.isOpen(cells[0]!.cell)) return;
    const waiting = unfinished.map(({ scheduled }) => scheduled);
    const free = await this.#context.clock.within('awaiting memory', () => this.#room.waitFor(waiting));
    for (const run of unfinished) {
      const lack = lackingMemory(run.scheduled, free);
      if (lack !== null) await this.#settle(run, 'skipped', `${lack} before loading`);
    }
  }

  /** Where engines take turns in memory: the next is loaded when the last one's memory is back, or was waited for. */
  async #closeAndWait(cell: Cell): Promise<void> {
    await this.#pool.close(cell);
    await this.#checkBaseline();
  }

  /** Every engine of the block has ended: the next one must find the memory that this one found. */
  async #checkBaseline(): Promise<void> {
    const left = await this.#context.clock.within('awaiting memory', () => this.#room.leftOver());
    const text = `warning: ${left} did not come back after the engines of ${this.#block.model} ended`;
    if (left !== null) this.#context.onEvent({ type: 'message', text });
  }

  async #sample(run: CellRun, round: number, turn: number): Promise<void> {
    const session = await this.#sessionOf(run);
    await this.#pool.settleOthers(run.cell);
    await run.sample(session, round, turn, {
      conditions: this.#pool.watchConditions(run.cell),
      clock: watchClock(this.#context.threads, run.cell.device !== 'cpu'),
    });
    if (round === this.#context.sweep.repetitions - 1) await run.verify(session);
  }

  #sessionOf(run: CellRun) {
    return this.#pool.get(this.#block.sessions.get(sessionKey(run.cell))!);
  }

  #unfinished(cells: readonly ScheduledCell[]): CellRun[] {
    return cells.flatMap(({ cell }) => {
      const run = this.#runs.get(cellKey(cell));
      return run === undefined ? [] : [run];
    });
  }

  /** An engine's failure is the outcome of the cells it concerns; the others go on. @returns the failure, or null */
  async #attempt(runs: readonly CellRun[], work: () => Promise<void>): Promise<EngineError | null> {
    if (this.#context.signal.aborted) throw new Interrupted();
    try {
      await work();
      return null;
    } catch (thrown) {
      if (this.#context.signal.aborted) throw new Interrupted();
      const error = asEngineError(thrown);
      for (const run of runs) await this.#settle(run, error.code, error.message);
      if (error.code === 'oom') await this.#skipLarger(runs);
      if (error.sessionLost) await this.#pool.closeLost(runs[0]!.cell);
      return error;
    }
  }

  /** What did not fit once will not fit with a larger batch and a longer prompt. */
  async #skipLarger(failed: readonly CellRun[]): Promise<void> {
    for (const { cell } of failed) {
      const reason = `a smaller cell of the same kind ran out of memory (${cellKey(cell)})`;
      for (const run of this.#runs.values()) {
        const { batchSize, promptLength } = run.cell;
        const larger = batchSize >= cell.batchSize && promptLength.length >= cell.promptLength.length;
        if (larger && sessionKey(run.cell) === sessionKey(cell)) await this.#settle(run, 'skipped', reason);
      }
    }
  }

  async #finish(run: CellRun): Promise<void> {
    const parity = this.#parity.get(sessionKey(run.cell));
    const { status, reason } = judgeCell(run, parity ?? [], this.#pool.effective(run.cell));
    await this.#settle(run, status, reason);
  }

  async #settle(run: CellRun, status: Status, reason: string | null): Promise<void> {
    if (run.done) return;
    // With all that it holds: a run of ten thousand cells keeps none of them.
    run.done = true;
    this.#runs.delete(cellKey(run.cell));
    await this.#context.append({ kind: 'outcome', cell: run.cell, status, reason });
    this.#context.onEvent({ type: 'outcome', cell: run.cell, status, reason });
  }
}
