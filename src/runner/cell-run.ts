import type { EngineSession } from '../engines/engine.ts';
import { weightStorage } from '../engines/storage.ts';
import { EngineError } from '../errors.ts';
import { workShape } from '../schema/manifest.ts';
import type { Effective, Prepared } from '../schema/protocol.ts';
import type { ClockReading, PreparationRecord, SampleRecord, VerificationRecord } from '../schema/record.ts';
import { medianThroughputs, throughputs } from '../stats/rates.ts';
import { rooflineViolations, storageAsRun } from '../stats/roofline.ts';
import { type RunSummary, summariseRun } from '../stats/run-summary.ts';
import type { RunContext } from './context.ts';
import { measurePeakMemory, takeSample, warmUp } from './measure.ts';
import type { ScheduledCell } from './schedule.ts';
import { gatherEvidence, headOf, type Observed, type TimedHead } from './verify.ts';
import { makeWork, type Work } from './work.ts';

/** What else used the processor while a sample was taken. */
export type Conditions = Required<
  Pick<SampleRecord, 'otherLoadCores' | 'idleCores' | 'idleSession' | 'harnessCores'>
>;

/** What goes on in the machine while a sample is taken; each tells it since it was begun. */
export interface Watch {
  readonly conditions: () => Conditions;
  readonly clock: () => Promise<ClockReading>;
}

export interface PeakMemory {
  readonly peakRssBytes: number | null;
  readonly peakDeviceBytes: number | null;
}

/** One cell on its way through a run: its work, what was measured of it, and whether it still runs. */
export class CellRun {
  readonly scheduled: ScheduledCell;
  /** What was measured, without its single steps: those are on disk. */
  readonly samples: { readonly round: number; readonly runs: readonly RunSummary[] }[] = [];
  /** Null until its last round is done. */
  verification: VerificationRecord | null = null;
  /** Set once the cell has its outcome. */
  done = false;
  #recorded = false;
  #observed: Observed | null = null;
  #effective: Effective = {};
  readonly #heads: TimedHead[] = [];
  #work: Work | null = null;
  readonly #context: RunContext;

  constructor(scheduled: ScheduledCell, context: RunContext) {
    this.scheduled = scheduled;
    this.#context = context;
  }

  /** Its prompts, drawn when they are first wanted: those of ten thousand cells at once would fill the memory. */
  get work(): Work {
    this.#work ??= makeWork(this.cell, this.#context.sweep.seed, this.#context.modelShape(this.cell.model));
    return this.#work;
  }

  /** Until they are wanted again. The same seed draws the same prompts. */
  forgetWork(): void {
    this.#work = null;
  }

  get cell() {
    return this.scheduled.cell;
  }

  /** Readies the shape, measures memory where that was not done elsewhere, warms up, and records all three once. */
  async prepare(session: EngineSession, peak: PeakMemory | null): Promise<void> {
    const { sweep, onEvent, append, clock } = this.#context;
    onEvent({ type: 'stage', cell: this.cell, stage: 'preparing' });
    const prepared: Prepared = await clock.within('compiling and preparing shapes', () =>
      session.prepare({
        batchSize: this.cell.batchSize,
        promptLength: this.cell.promptLength.length,
        generate: this.cell.generate,
      }),
    );
    const unknown: PeakMemory = { peakRssBytes: null, peakDeviceBytes: null };
    const memory =
      peak ?? (sweep.measureMemory && !this.#recorded ? await this.peakMemory(session) : unknown);
    onEvent({ type: 'stage', cell: this.cell, stage: 'warming up' });
    const warmupDecodeNs = await clock.within('warming up', () => warmUp(session, this.work, sweep.warmup));
    this.#effective = { ...session.loaded.effective, ...prepared.effective };
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

  /** A run of its own: memory is never read while anything is timed. */
  peakMemory(session: EngineSession): Promise<PeakMemory> {
    return this.#context.clock.within('measuring memory', () => measurePeakMemory(session, this.work));
  }

  async sample(session: EngineSession, round: number, turn: number, watch: Watch): Promise<void> {
    const { sweep, onEvent, append, startedNs, clock } = this.#context;
    onEvent({ type: 'round', cell: this.cell, round, rounds: sweep.repetitions });
    const started = Number(process.hrtime.bigint() - startedNs);
    const runs = await clock.within('measuring', () =>
      takeSample(session, this.work, sweep.minTimedSeconds, (generation, callNs) => {
        if (this.#observed === null || callNs < this.#observed.callNs)
          this.#observed = { generation, callNs };
      }),
    );
    // At once: a processor that has nothing to do any more changes its clock.
    const conditions = watch.conditions();
    const processor = await clock.within('reading clocks', () => watch.clock());
    const record: SampleRecord = {
      kind: 'sample',
      cell: this.cell,
      round,
      turn,
      startedNs: started,
      runs,
      ...conditions,
      clock: processor,
    };
    await append(record);
    this.samples.push({ round, runs: runs.map((run) => summariseRun(this.cell, run)) });
    this.#heads.push(...runs.filter(({ stepNs }) => stepNs.length > 0).map(headOf));
    onEvent({ type: 'sample', cell: this.cell, runs, promptTokens: this.work.promptTokens });
  }

  /** After the last round: gathers and records what shows that the timed work was done. */
  async verify(session: EngineSession): Promise<void> {
    if (this.#observed === null) return;
    const { sweep, append, modelShape, scratchDir, clock } = this.#context;
    const evidence = {
      cell: this.cell,
      work: this.work,
      session,
      known: this.#heads,
      observed: this.#observed,
      seed: sweep.seed,
      vocabulary: modelShape(this.cell.model),
      scratchDir,
    };
    const record = await clock.within('verifying work', () => gatherEvidence(evidence));
    await append(record);
    this.verification = record;
  }

  /** Why its times cannot be true on this machine. */
  rooflineViolations(): string[] {
    const { roofline = null, engines, modelShape } = this.#context;
    const { meta } = engines.get(this.scheduled.choice.engine)!;
    const storage = weightStorage(meta.artefact, this.cell.precision);
    if (roofline === null || storage === null || this.samples.length === 0) return [];
    const { batchSize, generate, precision, model } = this.cell;
    const work = {
      batchSize,
      generate,
      precision,
      promptTokens: this.work.promptTokens,
      shape: workShape(modelShape(model)),
      storage: storageAsRun(storage, this.#effective),
    };
    const rates = medianThroughputs(this.samples.map(({ runs }) => throughputs(work, runs)));
    return rooflineViolations(work, rates, roofline).map(({ detail }) => detail);
  }
}

/** The engine's own fault as it is; anything else is a defect of the harness and must not look like a cell's failure. */
export function asEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  throw error;
}
