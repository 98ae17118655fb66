import type { EngineSession } from '../engines/engine.ts';
import { EngineError } from '../errors.ts';
import type { Prepared } from '../schema/protocol.ts';
import type { ClockReading, PreparationRecord, SampleRecord, VerificationRecord } from '../schema/record.ts';
import type { RunContext } from './context.ts';
import { measurePeakMemory, takeSample, warmUp } from './measure.ts';
import type { ScheduledCell } from './schedule.ts';
import { gatherEvidence, type Observed } from './verify.ts';
import { makeWork, type Work } from './work.ts';

/** What goes on in the machine while a sample is taken; each tells it since it was begun. */
export interface Watch {
  readonly otherLoadCores: () => number | null;
  readonly clock: () => Promise<ClockReading>;
}

export interface PeakMemory {
  readonly peakRssBytes: number | null;
  readonly peakDeviceBytes: number | null;
}

/** One cell on its way through a run: its work, what was measured of it, and whether it still runs. */
export class CellRun {
  readonly scheduled: ScheduledCell;
  readonly work: Work;
  readonly samples: SampleRecord[] = [];
  /** Null until its last round is done. */
  verification: VerificationRecord | null = null;
  /** Set once the cell has its outcome. */
  done = false;
  #recorded = false;
  #observed: Observed | null = null;
  readonly #context: RunContext;

  constructor(scheduled: ScheduledCell, context: RunContext) {
    this.scheduled = scheduled;
    this.#context = context;
    this.work = makeWork(scheduled.cell, context.sweep.seed, context.modelShape(scheduled.cell.model));
  }

  get cell() {
    return this.scheduled.cell;
  }

  /** Readies the shape, measures memory where that was not done elsewhere, warms up, and records all three once. */
  async prepare(session: EngineSession, peak: PeakMemory | null): Promise<void> {
    const { sweep, onEvent, append } = this.#context;
    onEvent({ type: 'stage', cell: this.cell, stage: 'preparing' });
    const prepared: Prepared = await session.prepare({
      batchSize: this.cell.batchSize,
      promptLength: this.cell.promptLength.length,
      generate: this.cell.generate,
    });
    const unknown: PeakMemory = { peakRssBytes: null, peakDeviceBytes: null };
    const memory =
      peak ??
      (sweep.measureMemory && !this.#recorded ? await measurePeakMemory(session, this.work) : unknown);
    onEvent({ type: 'stage', cell: this.cell, stage: 'warming up' });
    const warmupDecodeNs = await warmUp(session, this.work, sweep.warmup);
    if (this.#recorded) return;
    const record: PreparationRecord = {
      kind: 'preparation',
      cell: this.cell,
      compileNs: prepared.compileNs,
      ...memory,
      warmupDecodeNs,
      promptTokens: this.work.promptTokens,
      promptsSha256: this.work.promptsSha256,
      effective: prepared.effective,
    };
    await append(record);
    this.#recorded = true;
  }

  async sample(session: EngineSession, round: number, turn: number, watch: Watch): Promise<void> {
    const { sweep, onEvent, append, startedNs } = this.#context;
    onEvent({ type: 'round', cell: this.cell, round, rounds: sweep.repetitions });
    const started = Number(process.hrtime.bigint() - startedNs);
    const runs = await takeSample(session, this.work, sweep.minTimedSeconds, (generation, callNs) => {
      if (this.#observed === null || callNs < this.#observed.callNs) this.#observed = { generation, callNs };
    });
    // At once: a processor that has nothing to do any more changes its clock.
    const otherLoadCores = watch.otherLoadCores();
    const clock = await watch.clock();
    const record: SampleRecord = {
      kind: 'sample',
      cell: this.cell,
      round,
      turn,
      startedNs: started,
      runs,
      otherLoadCores,
      clock,
    };
    await append(record);
    this.samples.push(record);
    onEvent({ type: 'sample', cell: this.cell, runs, promptTokens: this.work.promptTokens });
  }

  /** After the last round: gathers and records what shows that the timed work was done. */
  async verify(session: EngineSession): Promise<void> {
    if (this.#observed === null) return;
    const { sweep, append, modelShape, scratchDir } = this.#context;
    const record = await gatherEvidence({
      cell: this.cell,
      work: this.work,
      session,
      samples: this.samples,
      observed: this.#observed,
      seed: sweep.seed,
      vocabulary: modelShape(this.cell.model),
      scratchDir,
    });
    await append(record);
    this.verification = record;
  }
}

/** The engine's own fault as it is; anything else is a defect of the harness and must not look like a cell's failure. */
export function asEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  throw error;
}
