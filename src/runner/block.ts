import { contextLimit } from '../engines/context-limit.ts';
import { watchClock } from '../machine/clock.ts';
import { watchOtherLoad } from '../machine/load.ts';
import { cellKey, sessionKey } from '../schema/cell.ts';
import type { ParityRecord } from '../schema/record.ts';
import type { Status } from '../schema/vocabulary.ts';
import { asEngineError, CellRun, type PeakMemory } from './cell-run.ts';
import type { RunContext } from './context.ts';
import { judgeCell } from './judge.ts';
import { measurePeakMemory } from './measure.ts';
import { checkParity } from './parity/check.ts';
import type { References } from './parity/reference.ts';
import { type ParityShape, parityShapes, shapesFor, within } from './parity/shape.ts';
import { type Block, roundOrder, type ScheduledCell } from './schedule.ts';
import { SessionPool } from './sessions.ts';

/** Thrown through the layers when the user interrupted; never stored as a cell's failure. */
export class Interrupted extends Error {}

/** Runs one block: one model on one device, all its engines and precisions, shape by shape, in interleaved rounds. */
export class BlockRun {
  readonly #block: Block;
  readonly #context: RunContext;
  readonly #references: References;
  readonly #parityShapes: readonly ParityShape[];
  readonly #pool: SessionPool;
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
    }
  }

  /** What is done once for each session: memory in a process of its own, and parity. */
  async #introduce(cells: readonly ScheduledCell[]): Promise<void> {
    const unfinished = this.#unfinished(cells);
    if (unfinished.length === 0) return;
    if (this.#context.sweep.measureMemory && this.#pool.isInProcess(cells[0]!)) {
      await this.#attempt(unfinished, () => this.#measureMemoryApart(unfinished));
    }
    await this.#attempt(unfinished, async () => {
      if (this.#unfinished(cells).length === 0) return;
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
      if (this.#block.residency === 'one-by-one') await this.#pool.close(cells[0]!.cell);
    });
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
        for (const run of this.#unfinished(cells)) {
          await this.#attempt([run], async () => {
            await run.prepare(await this.#sessionOf(run), this.#peaks.get(cellKey(run.cell)) ?? null);
            await this.#sample(run, round, turn);
          });
        }
        await this.#pool.close(cells[0]!.cell);
      }
    }
    for (const run of this.#unfinished(sessions.flat())) await this.#finish(run);
  }

  async #measureMemoryApart(runs: readonly CellRun[]): Promise<void> {
    const session = await this.#pool.openIsolated(runs.map((run) => run.scheduled));
    try {
      for (const run of runs) {
        await this.#attempt([run], async () => {
          this.#peaks.set(cellKey(run.cell), await measurePeakMemory(session, run.work));
        });
      }
    } finally {
      await session.close();
    }
  }

  async #sample(run: CellRun, round: number, turn: number): Promise<void> {
    const session = await this.#sessionOf(run);
    await run.sample(session, round, turn, {
      otherLoadCores: watchOtherLoad(this.#pool.pids()),
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
      return run === undefined || run.done ? [] : [run];
    });
  }

  /** An engine's failure is the outcome of the cells it concerns; the others go on. */
  async #attempt(runs: readonly CellRun[], work: () => Promise<void>): Promise<void> {
    if (this.#context.signal.aborted) throw new Interrupted();
    try {
      await work();
    } catch (thrown) {
      if (this.#context.signal.aborted) throw new Interrupted();
      const error = asEngineError(thrown);
      for (const run of runs) await this.#settle(run, error.code, error.message);
      if (error.code === 'oom') await this.#skipLarger(runs);
      if (error.sessionLost) await this.#pool.close(runs[0]!.cell);
    }
  }

  /** What did not fit once will not fit with a larger batch and a longer prompt. */
  async #skipLarger(failed: readonly CellRun[]): Promise<void> {
    for (const { cell } of failed) {
      for (const run of this.#runs.values()) {
        const larger =
          run.cell.batchSize >= cell.batchSize && run.cell.promptLength.length >= cell.promptLength.length;
        if (run.done || !larger || sessionKey(run.cell) !== sessionKey(cell)) continue;
        await this.#settle(
          run,
          'skipped',
          `a smaller cell of the same kind ran out of memory (${cellKey(cell)})`,
        );
      }
    }
  }

  async #finish(run: CellRun): Promise<void> {
    const { status, reason } = judgeCell(run, this.#parity.get(sessionKey(run.cell)) ?? []);
    await this.#settle(run, status, reason);
  }

  async #settle(run: CellRun, status: Status, reason: string | null): Promise<void> {
    if (run.done) return;
    run.done = true;
    await this.#context.append({ kind: 'outcome', cell: run.cell, status, reason });
    this.#context.onEvent({ type: 'outcome', cell: run.cell, status, reason });
  }
}
