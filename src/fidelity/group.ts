import { isDeepStrictEqual } from 'node:util';
import type { Engine } from '../engines/engine.ts';
import { requireSupport } from '../engines/support.ts';
import type { EngineYardsticks, Yardstick } from '../engines/yardstick.ts';
import { EngineError } from '../errors.ts';
import type { PreparedArtefact } from '../runner/context.ts';
import { makeWork } from '../runner/work.ts';
import type { LoadRequest, Shape } from '../schema/protocol.ts';
import { PRECISIONS, type Precision } from '../schema/vocabulary.ts';
import { CellComparison, type Contender } from './cell.ts';
import { type Comparison, nameOf } from './declaration.ts';
import { openDriver, openTool, type Participant } from './participants.ts';
import type { FidelityProblem, FidelityRow } from './row.ts';
import type { FidelityContext } from './run.ts';

interface OpenTool {
  readonly yardstick: Yardstick;
  readonly contender: Contender;
}

/** One model in one weight format: a driver, its tools, and every shape. */
export class Group {
  readonly rows: FidelityRow[] = [];
  readonly problems: FidelityProblem[] = [];
  readonly versions: Record<string, string> = {};
  readonly #comparison: Comparison;
  readonly #engine: Engine;
  readonly #yardsticks: EngineYardsticks;
  readonly #model: string;
  readonly #weights: string;
  readonly #context: FidelityContext;
  readonly #open: Participant[] = [];
  readonly #cells = new Map<string, { readonly shape: Shape; readonly comparison: CellComparison }>();

  constructor(
    comparison: Comparison,
    engine: Engine,
    yardsticks: EngineYardsticks,
    model: string,
    weights: string,
    context: FidelityContext,
  ) {
    this.#comparison = comparison;
    this.#engine = engine;
    this.#yardsticks = yardsticks;
    this.#model = model;
    this.#weights = weights;
    this.#context = context;
  }

  async run(): Promise<void> {
    const { rounds, sittings } = this.#context;
    for (let sitting = 0; sitting < sittings && !this.#driverFailed; sitting++) {
      if (this.#context.signal.aborted) break;
      const ofSitting = Array.from({ length: rounds }, (_, round) => round).filter(
        (round) => round % sittings === sitting,
      );
      await this.#sit(ofSitting);
    }
    for (const { shape, comparison } of this.#cells.values()) this.#finish(shape, comparison);
  }

  /**
   * Opens everything anew: where a process got its memory sways its speed for as long as it lives, which rounds of the
   * same processes could not tell from the driver's own.
   */
  async #sit(rounds: readonly number[]): Promise<void> {
    if (rounds.length === 0) return;
    try {
      const request = await this.#request();
      this.#context.onProgress(`${this.#label}: loading`);
      const driver = this.#keep(await openDriver(this.#engine, request));
      const tools = await this.#openTools(request);
      if (tools.length > 0) await this.#shapes(driver, tools, rounds);
    } catch (error) {
      this.#problem(null, error);
    } finally {
      for (const participant of this.#open.splice(0)) await participant.close();
    }
  }

  get #label(): string {
    return `${nameOf(this.#comparison)} ${this.#model} ${this.#weights}`;
  }

  async #request(): Promise<LoadRequest> {
    const { build, options, batchSizes, promptLengths, generate } = this.#comparison;
    const ofBuild = build === undefined ? {} : this.#yardsticks.builds[build]!(this.#context.toolFolders);
    const { artefact, precision } = await this.#artefact();
    return {
      model: this.#model,
      artefactDir: artefact.dir,
      precision,
      device: 'cpu',
      threads: this.#context.threads,
      maxBatchSize: Math.max(...batchSizes),
      maxSequenceLength: Math.max(...promptLengths) + generate,
      options: this.#engine.options.parse({ ...ofBuild, ...options }),
    };
  }

  async #artefact(): Promise<{ artefact: PreparedArtefact; precision: Precision }> {
    const { artefact: kind, title } = this.#engine.meta;
    const { artefact, derived } = this.#context;
    const precision = PRECISIONS.find((name) => name === this.#weights);
    if (precision !== undefined) {
      requireSupport(this.#engine.meta, 'cpu', precision, this.#comparison.options);
      return { artefact: await artefact(this.#model, kind, precision), precision };
    }
    const format = this.#yardsticks.formats[this.#weights];
    if (format === undefined)
      throw new EngineError('unsupported', `${title} is not compared in ${this.#weights}`);
    const source = await artefact(this.#model, kind, format.from);
    const made = await derived(source, this.#weights, (outDir) => format.make(source.dir, outDir));
    return { artefact: made, precision: format.loadedAs };
  }

  async #openTools(request: LoadRequest): Promise<OpenTool[]> {
    const opened: OpenTool[] = [];
    for (const { tool, bar } of this.#comparison.tools) {
      const yardstick = this.#yardsticks.tools[tool]!;
      const { title, selection } = yardstick;
      // Not to be had in this sitting either.
      if (this.problems.some((problem) => problem.tool === title && problem.batchSize === null)) continue;
      try {
        const participant = this.#keep(await openTool(yardstick, request, this.#context.toolFolders));
        opened.push({ yardstick, contender: { title, bar, selection, participant } });
      } catch (error) {
        this.#problem(title, error);
      }
    }
    return opened;
  }

  async #shapes(driver: Participant, tools: readonly OpenTool[], rounds: readonly number[]): Promise<void> {
    const { batchSizes, promptLengths, generate } = this.#comparison;
    for (const batchSize of batchSizes) {
      for (const promptLength of promptLengths) {
        if (this.#context.signal.aborted) return;
        const shape = { batchSize, promptLength, generate };
        try {
          await this.#cell(shape, driver, tools, rounds);
        } catch (error) {
          this.#problem(null, error, shape);
          // A session that is lost cannot take the next shape.
          if (error instanceof EngineError && error.sessionLost) return;
        }
      }
    }
  }

  async #cell(
    shape: Shape,
    driver: Participant,
    tools: readonly OpenTool[],
    rounds: readonly number[],
  ): Promise<void> {
    const { minTimedSeconds, seed, signal, modelShape, onProgress } = this.#context;
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
        engine: nameOf(this.#comparison),
        model: this.#model,
        precision: 'fp32',
        device: 'cpu',
        batchSize,
        promptLength: { length: promptLength, spread: 0 },
        generate,
      },
      seed,
      modelShape(this.#model),
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
      label,
      signal,
    });
  }

  #finish(shape: Shape, comparison: CellComparison): void {
    for (const [title, error] of comparison.failures) this.#problem(title, error, shape);
    const names = { engine: nameOf(this.#comparison), model: this.#model, precision: this.#weights };
    const rows = comparison.measured().map(({ tool, ...row }) => ({ ...names, tool, ...shape, ...row }));
    this.rows.push(...rows);
    this.#context.onRows(rows);
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
      engine: nameOf(this.#comparison),
      tool,
      model: this.#model,
      precision: this.#weights,
      batchSize: shape?.batchSize ?? null,
      promptLength: shape?.promptLength ?? null,
      reason,
      failed,
    };
    // Told once, not in every sitting.
    if (!this.problems.some((known) => isDeepStrictEqual(known, problem))) this.problems.push(problem);
  }
}
