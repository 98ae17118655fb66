import { isDeepStrictEqual } from 'node:util';
import type { Yardstick } from '../engines/yardstick.ts';
import { EngineError } from '../errors.ts';
import { IdleWatch } from '../runner/idle.ts';
import { makeWork } from '../runner/work.ts';
import type { LoadRequest, Shape } from '../schema/protocol.ts';
import { CellComparison, type Contender } from './cell.ts';
import { nameOf } from './declaration.ts';
import { openDriver, openTool, type Participant } from './participants.ts';
import { requestOf, type Subject } from './request.ts';
import type { FidelityProblem, FidelityRow } from './row.ts';

interface OpenTool {
  readonly yardstick: Yardstick;
  readonly contender: Contender;
}

/** One model in one weight format: a driver, its tools, and every shape. */
export class Group {
  readonly rows: FidelityRow[] = [];
  readonly problems: FidelityProblem[] = [];
  readonly versions: Record<string, string> = {};
  readonly #subject: Subject;
  readonly #idle = new IdleWatch();
  readonly #open: Participant[] = [];
  readonly #cells = new Map<string, { readonly shape: Shape; readonly comparison: CellComparison }>();

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  async run(): Promise<void> {
    const { rounds, sittings, moreRounds } = this.#subject.context;
    const { batchSizes, promptLengths, generate } = this.#subject.comparison;
    const shapes = batchSizes.flatMap((batchSize) =>
      promptLengths.map((promptLength) => ({ batchSize, promptLength, generate })),
    );
    for (let sitting = 0; sitting < sittings; sitting++) {
      const ofSitting = Array.from({ length: rounds }, (_, round) => round).filter(
        (round) => round % sittings === sitting,
      );
      await this.#sit(ofSitting, shapes);
    }
    // All rounds of a cell count, also those that spoke against it.
    const open = shapes.filter((shape) =>
      this.#cells
        .get(JSON.stringify(shape))
        ?.comparison.measured()
        .some(({ verdict }) => verdict === 'undecided' || verdict === 'missed'),
    );
    for (let round = rounds; round < rounds + moreRounds; round++) await this.#sit([round], open);
    for (const { shape, comparison } of this.#cells.values()) this.#finish(shape, comparison);
  }

  /**
   * Opens everything anew: where a process got its memory sways its speed for as long as it lives, which rounds of the
   * same processes could not tell from the driver's own.
   */
  async #sit(rounds: readonly number[], shapes: readonly Shape[]): Promise<void> {
    if (rounds.length === 0 || shapes.length === 0) return;
    if (this.#driverFailed || this.#subject.context.signal.aborted) return;
    try {
      const request = await requestOf(this.#subject);
      this.#subject.context.onProgress(`${this.#label}: loading`);
      const driver = this.#keep(await openDriver(this.#subject.engine, request, this.#idle));
      const tools = await this.#openTools(request);
      if (tools.length > 0) await this.#inTurn(shapes, driver, tools, rounds);
    } catch (error) {
      this.#problem(null, error);
    } finally {
      for (const participant of this.#open.splice(0)) await participant.close();
    }
  }

  get #label(): string {
    return `${nameOf(this.#subject.comparison)} ${this.#subject.model} ${this.#subject.weights}`;
  }

  async #openTools(request: LoadRequest): Promise<OpenTool[]> {
    const opened: OpenTool[] = [];
    for (const { tool, bar } of this.#subject.comparison.tools) {
      const yardstick = this.#subject.yardsticks.tools[tool]!;
      const { title, selection, repeats } = yardstick;
      // Not to be had in this sitting either.
      if (this.problems.some((problem) => problem.tool === title && problem.batchSize === null)) continue;
      try {
        const { toolFolders } = this.#subject.context;
        const participant = this.#keep(await openTool(yardstick, request, toolFolders, this.#idle));
        opened.push({ yardstick, contender: { title, bar, selection, repeats, participant } });
      } catch (error) {
        this.#problem(title, error);
      }
    }
    return opened;
  }

  async #inTurn(
    shapes: readonly Shape[],
    driver: Participant,
    tools: readonly OpenTool[],
    rounds: readonly number[],
  ): Promise<void> {
    for (const shape of shapes) {
      if (this.#subject.context.signal.aborted) return;
      try {
        await this.#cell(shape, driver, tools, rounds);
      } catch (error) {
        this.#problem(null, error, shape);
        // A session that is lost cannot take the next shape.
        if (error instanceof EngineError && error.sessionLost) return;
      }
    }
  }

  async #cell(
    shape: Shape,
    driver: Participant,
    tools: readonly OpenTool[],
    rounds: readonly number[],
  ): Promise<void> {
    const { minTimedSeconds, seed, signal, modelShape, onProgress } = this.#subject.context;
    const { batchSize, promptLength, generate } = shape;
    const label = `${this.#label}, batch ${batchSize}, prompt ${promptLength}`;
    onProgress(`${label}: preparing`);
    const driverEffective = await driver.prepare(shape);
    const contenders: Contender[] = [];
    for (const { yardstick, contender } of tools) {
      const covered = yardstick.covers(shape, driverEffective);
      if (covered !== true) this.#report(contender.title, covered, false, shape);
      else if (await this.#isReady(contender, shape)) contenders.push(contender);
    }
    if (contenders.length === 0) return;
    const work = makeWork(
      {
        engine: nameOf(this.#subject.comparison),
        model: this.#subject.model,
        precision: 'fp32',
        device: 'cpu',
        batchSize,
        promptLength: { length: promptLength, spread: 0 },
        generate,
      },
      seed,
      modelShape(this.#subject.model),
    );
    onProgress(`${label}: rounds ${rounds.map((round) => round + 1).join(', ')}`);
    const key = JSON.stringify(shape);
    const { comparison } = this.#cells.get(key) ?? { comparison: new CellComparison() };
    this.#cells.set(key, { shape, comparison });
    await comparison.sit({
      shape,
      work,
      driver,
      driverEffective,
      contenders,
      rounds,
      minTimedSeconds,
      seed,
      idle: this.#idle,
      label,
      signal,
    });
  }

  #finish(shape: Shape, comparison: CellComparison): void {
    for (const [title, error] of comparison.failures) this.#problem(title, error, shape);
    const names = {
      engine: nameOf(this.#subject.comparison),
      model: this.#subject.model,
      precision: this.#subject.weights,
    };
    const rows = comparison.measured().map(({ tool, ...row }) => ({ ...names, tool, ...shape, ...row }));
    this.rows.push(...rows);
    this.#subject.context.onRows(rows);
  }

  async #isReady({ title, participant }: Contender, shape: Shape): Promise<boolean> {
    try {
      await participant.prepare(shape);
      return true;
    } catch (error) {
      this.#problem(title, error, shape);
      return false;
    }
  }

  get #driverFailed(): boolean {
    return this.problems.some(({ tool, failed }) => tool === null && failed);
  }

  #keep(participant: Participant): Participant {
    this.#open.push(participant);
    Object.assign(this.versions, participant.versions);
    return participant;
  }

  /** The engine's or the tool's own fault; anything else is a defect and ends the command. */
  #problem(tool: string | null, error: unknown, shape?: Shape): void {
    if (!(error instanceof EngineError)) throw error;
    this.#report(tool, error.message, true, shape);
  }

  #report(tool: string | null, reason: string, failed: boolean, shape?: Shape): void {
    const problem: FidelityProblem = {
      engine: nameOf(this.#subject.comparison),
      tool,
      model: this.#subject.model,
      precision: this.#subject.weights,
      batchSize: shape?.batchSize ?? null,
      promptLength: shape?.promptLength ?? null,
      reason,
      failed,
    };
    // Told once, not in every sitting.
    if (!this.problems.some((known) => isDeepStrictEqual(known, problem))) this.problems.push(problem);
  }
}
