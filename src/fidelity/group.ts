import type { Engine } from '../engines/engine.ts';
import type { EngineYardsticks, Yardstick } from '../engines/yardstick.ts';
import { EngineError } from '../errors.ts';
import type { PreparedArtefact } from '../runner/context.ts';
import { makeWork } from '../runner/work.ts';
import type { LoadRequest, Shape } from '../schema/protocol.ts';
import { PRECISIONS, type Precision } from '../schema/vocabulary.ts';
import { type Contender, compareCell } from './cell.ts';
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
    try {
      const request = await this.#request();
      this.#context.onProgress(`${this.#label}: loading`);
      const driver = this.#keep(await openDriver(this.#engine, request));
      const tools = await this.#openTools(request);
      if (tools.length > 0) await this.#shapes(driver, tools);
    } catch (error) {
      this.#problem(null, error);
    } finally {
      for (const participant of this.#open) await participant.close();
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
    const { artefact: kind, precisions, title } = this.#engine.meta;
    const { artefact, derived } = this.#context;
    const precision = PRECISIONS.find((name) => name === this.#weights);
    if (precision !== undefined) {
      const support = precisions.cpu?.[precision] ?? `${title} has no CPU path`;
      if (support !== true) throw new EngineError('unsupported', support);
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
      try {
        const participant = this.#keep(await openTool(yardstick, request, this.#context.toolFolders));
        opened.push({ yardstick, contender: { title, bar, selection, participant } });
      } catch (error) {
        this.#problem(title, error);
      }
    }
    return opened;
  }

  async #shapes(driver: Participant, tools: readonly OpenTool[]): Promise<void> {
    const { batchSizes, promptLengths, generate } = this.#comparison;
    for (const batchSize of batchSizes) {
      for (const promptLength of promptLengths) {
        if (this.#context.signal.aborted) return;
        const shape = { batchSize, promptLength, generate };
        try {
          await this.#cell(shape, driver, tools);
        } catch (error) {
          this.#problem(null, error, shape);
          // A session that is lost cannot take the next shape.
          if (error instanceof EngineError && error.sessionLost) return;
        }
      }
    }
  }

  async #cell(shape: Shape, driver: Participant, tools: readonly OpenTool[]): Promise<void> {
    const { rounds, minTimedSeconds, seed, signal, modelShape, onProgress, onRows } = this.#context;
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
    onProgress(`${label}: ${rounds} rounds`);
    const input = {
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
    };
    const { measured, failures } = await compareCell(input);
    for (const [title, error] of failures) this.#problem(title, error, shape);
    const names = { engine: nameOf(this.#comparison), model: this.#model, precision: this.#weights };
    const rows = measured.map(({ tool, ...row }) => ({ ...names, tool, ...shape, ...row }));
    this.rows.push(...rows);
    onRows(rows);
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
    this.problems.push({
      engine: nameOf(this.#comparison),
      tool,
      model: this.#model,
      precision: this.#weights,
      batchSize: shape?.batchSize ?? null,
      promptLength: shape?.promptLength ?? null,
      reason,
      failed,
    });
  }
}
