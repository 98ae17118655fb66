import { existsSync } from 'node:fs';
import path from 'node:path';
import { EngineError } from '../../../errors.ts';
import type {
  GenerateRequest,
  Generation,
  Loaded,
  LoadRequest,
  Prepared,
  Shape,
} from '../../../schema/protocol.ts';
import type { EngineSession } from '../../engine.ts';
import { CELL_PADDING } from '../context.ts';
import { flashAttentionFor, kvTypeFor, type LlamaCppOptions } from '../options.ts';
import { type BenchRow, type BenchSettings, runBatchedBench } from './batched-bench.ts';
import { type Program, programVersion } from './program.ts';

/**
 * llama.cpp through its own llama-batched-bench: for versions whose C API this program does not know. Every run is a
 * process of the tool, which draws random tokens and keeps ids and logits to itself. Only sums of steps come back.
 */
export class BatchedBenchSession implements EngineSession {
  readonly loaded: Loaded;
  readonly #program: Program;
  readonly #settings: BenchSettings;

  private constructor(program: Program, settings: BenchSettings, loaded: Loaded) {
    this.#program = program;
    this.#settings = settings;
    this.loaded = loaded;
  }

  /**
   * Tries the tool on the model with the smallest shape; its wall time without the timed phases stands for loading: it
   * includes the start of the process and the context.
   * @throws EngineError when the tool cannot be run or refuses the model or a setting.
   */
  static async open(
    file: string,
    request: LoadRequest,
    options: LlamaCppOptions,
    why: string,
  ): Promise<BatchedBenchSession> {
    const modelFile = path.join(request.artefactDir, 'model.gguf');
    if (!existsSync(modelFile)) throw new EngineError('failed', 'the prepared artefact has no model.gguf');
    const kvCacheType = kvTypeFor(request.precision, options.kvCacheType);
    const { threads } = request;
    const { kvUnified, poll, useMmap: mmap, nBatch, nUbatch } = options;
    const flashAttention = flashAttentionFor(kvCacheType, options.flashAttention);
    const set = { threads, poll, mmap, kvCacheType, kvUnified, flashAttention };
    const settings: BenchSettings = { ...set, modelFile, nBatch, nUbatch };
    const start = process.hrtime.bigint();
    const smallest = { batchSize: 1, promptLength: 1, cellsPerSequence: CELL_PADDING, steps: rowsFor(1) };
    const rows = await runBatchedBench({ file }, settings, smallest, LEAST_ROWS);
    const phasesNs = rows.reduce((sum, { prefillNs, decodeNs }) => sum + prefillNs + decodeNs, 0);
    const loadNs = Math.max(0, Number(process.hrtime.bigint() - start) - phasesNs);
    return new BatchedBenchSession({ file }, settings, {
      loadNs,
      vocabSize: null,
      versions: { 'llama-batched-bench': await programVersion(file) },
      effective: {
        ownTool: `llama-batched-bench (${why})`,
        ...set,
        kvLocation: 'host',
        logitsScope: 'last position',
        prompts: 'random tokens of the tool',
      },
    });
  }

  async prepare({ batchSize, promptLength, generate }: Shape): Promise<Prepared> {
    const row = await this.#measure(batchSize, promptLength, 1, promptLength + generate);
    return { compileNs: 0, effective: { nBatch: row.nBatch, nUbatch: row.nUbatch } };
  }

  async generate({ prompts, generate, capacity }: GenerateRequest): Promise<Generation> {
    const promptLength = prompts[0]?.length ?? 0;
    if (prompts.some((row) => row.length !== promptLength)) {
      throw new EngineError('unsupported', 'llama-batched-bench measures prompts of equal length only');
    }
    const steps = generate - 1;
    // A prefill alone still decodes a token, which is not counted: without any, the tool prints a division by zero.
    const row = await this.#measure(prompts.length, promptLength, Math.max(1, steps), capacity);
    const stepNs = steps === 0 ? 0 : row.decodeNs;
    return {
      prefillNs: row.prefillNs,
      stepNs: [],
      selectNs: [],
      tokens: [],
      stepTotal: { steps, ns: stepNs },
      recompiles: 0,
      wallNs: row.prefillNs + stepNs,
      peakRssBytes: null,
      peakDeviceBytes: null,
    };
  }

  async teacherForce(): Promise<never> {
    throw new EngineError('unsupported', 'llama-batched-bench returns no logits that could be compared');
  }

  async close(): Promise<void> {}

  async #measure(
    batchSize: number,
    promptLength: number,
    steps: number,
    capacity: number,
  ): Promise<BenchRow> {
    const cellsPerSequence = Math.ceil(capacity / CELL_PADDING) * CELL_PADDING;
    const run = { batchSize, promptLength, cellsPerSequence, steps: rowsFor(steps) };
    const rows = await runBatchedBench(this.#program, this.#settings, run, LEAST_ROWS);
    return rows[COUNTED_ROW]!;
  }
}

/**
 * The first row of a process warms it up and the second counts; the third is there to be lost, as the last rows are on a
 * busy machine.
 */
const rowsFor = (steps: number): readonly number[] => [1, steps, 1];
const COUNTED_ROW = 1;
const LEAST_ROWS = COUNTED_ROW + 1;
