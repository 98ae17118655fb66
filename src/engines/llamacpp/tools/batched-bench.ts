import { z } from 'zod';
import { EngineError } from '../../../errors.ts';
import { type Program, runProgram } from './program.ts';

/** How the program is set: what the C API is given, or what it reported that it took. */
export interface BenchSettings {
  readonly modelFile: string;
  readonly threads: number;
  /** Null where OpenMP's threads are used. */
  readonly poll: number | null;
  readonly mmap: boolean;
  readonly kvCacheType: string;
  readonly kvUnified: boolean;
  readonly flashAttention: 'auto' | 'on' | 'off';
  readonly nBatch: number;
  readonly nUbatch: number;
}

/** One process of the program: one batch of prompts, and a row for each count of decode steps after it. */
export interface BenchRun {
  readonly batchSize: number;
  readonly promptLength: number;
  readonly cellsPerSequence: number;
  readonly steps: readonly number[];
}

/** A row of the output: the prompts, then `steps` forwards of one token per sequence. Seconds with six digits. */
export interface BenchRow {
  readonly prefillNs: number;
  readonly decodeNs: number;
  readonly nBatch: number;
  readonly nUbatch: number;
}

/** Versions add fields; these have been there from the start. */
const rowSchema = z.looseObject({
  pp: z.int().min(1),
  tg: z.int().min(0),
  pl: z.int().min(1),
  n_batch: z.int().min(1),
  n_ubatch: z.int().min(1),
  t_pp: z.number().positive(),
  t_tg: z.number().positive(),
});

/**
 * llama.cpp 0.5 prints from a thread that it does not wait for at its end: where its workers keep all cores busy the last
 * rows are lost. Each attempt after the first has more rows of a single step behind those that count.
 */
const MOST_ATTEMPTS = 4;

/** `--device none` keeps a build that knows a GPU on the CPU. */
export function benchArguments(settings: BenchSettings, run: BenchRun): string[] {
  const { threads, poll, kvCacheType } = settings;
  return [
    ...['-m', settings.modelFile, '--device', 'none', '--output-format', 'jsonl'],
    ...['-npp', `${run.promptLength}`, '-ntg', run.steps.join(','), '-npl', `${run.batchSize}`],
    ...['-c', `${run.cellsPerSequence * run.batchSize}`],
    ...['-b', `${settings.nBatch}`, '-ub', `${settings.nUbatch}`, '-t', `${threads}`, '-tb', `${threads}`],
    ...(poll === null ? [] : ['--poll', `${poll}`]),
    ...['-fa', settings.flashAttention, '-ctk', kvCacheType, '-ctv', kvCacheType],
    ...(settings.kvUnified ? ['-kvu'] : []),
  ];
}

/**
 * What has no argument that all versions take: llama.cpp 0.5 replaced `--no-mmap` by `--load-mode`, and refuses arguments that
 * it does not know. Variables it does not know it ignores.
 */
export const benchVariables = (settings: BenchSettings): Record<string, string> =>
  settings.mmap ? {} : { LLAMA_ARG_LOAD_MODE: 'none', LLAMA_ARG_NO_MMAP: '1', LLAMA_ARG_MMAP: '0' };

/**
 * Runs the program, again where it lost rows that count.
 * @param least how many of its rows must have arrived, from the first.
 * @throws EngineError with the program's own last words when it fails, `protocol-error` for rows that were not asked for.
 */
export async function runBatchedBench(
  program: Program,
  settings: BenchSettings,
  run: BenchRun,
  least: number = run.steps.length,
): Promise<readonly BenchRow[]> {
  let arrived = 0;
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const padding = Array.from({ length: attempt === 0 ? 0 : 8 ** attempt }, () => 1);
    const padded = { ...run, steps: [...run.steps, ...padding] };
    const stdout = await runProgram(program, benchArguments(settings, padded), benchVariables(settings));
    const rows = readRows(stdout, padded);
    if (rows.length >= least) return rows.slice(0, run.steps.length);
    arrived = rows.length;
  }
  throw new EngineError(
    'protocol-error',
    `llama-batched-bench printed ${arrived} of ${run.steps.length} rows, ${MOST_ATTEMPTS} times`,
  );
}

/** The rows that arrived, in order. @throws EngineError `protocol-error` for what is no row, or one of another shape. */
export function readRows(stdout: string, run: BenchRun): BenchRow[] {
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line, index) => {
    const row = parseRow(line);
    const asked = run.steps[index];
    if (row.pp !== run.promptLength || row.tg !== asked || row.pl !== run.batchSize) {
      throw new EngineError(
        'protocol-error',
        `llama-batched-bench measured ${row.pl} × (${row.pp} + ${row.tg}) tokens instead of ${run.batchSize} × (${run.promptLength} + ${asked ?? 'nothing'})`,
      );
    }
    const { n_batch: nBatch, n_ubatch: nUbatch } = row;
    return { prefillNs: row.t_pp * 1e9, decodeNs: row.t_tg * 1e9, nBatch, nUbatch };
  });
}

function parseRow(line: string): z.output<typeof rowSchema> {
  try {
    return rowSchema.parse(JSON.parse(line));
  } catch (cause) {
    throw new EngineError(
      'protocol-error',
      `llama-batched-bench printed what is no result: ${line.slice(0, 120)}`,
      { cause },
    );
  }
}
