import path from 'node:path';
import { z } from 'zod';
import { EngineError } from '../../errors.ts';
import type { Effective, LoadRequest, Shape } from '../../schema/protocol.ts';
import type { ToolProgram, Turn } from '../yardstick.ts';
import { locateLibrary } from './location.ts';
import { parseOptions } from './options.ts';
import { type BenchRun, runBatchedBench } from './tools/batched-bench.ts';
import { runProgram } from './tools/program.ts';
import { chooseTool } from './yardstick-location.ts';

const benchRowSchema = z.looseObject({
  n_prompt: z.int(),
  n_gen: z.int(),
  n_depth: z.int(),
  n_threads: z.int(),
  build_commit: z.string(),
  samples_ns: z.array(z.number().positive()),
});

/** Settings of the driver that the tools take under the same names. @throws EngineError when the driver reports none. */
export function settingsOf(driver: Effective) {
  const settings = z
    .looseObject({
      nBatch: z.int(),
      nUbatch: z.int(),
      threads: z.int(),
      /** Null where OpenMP's threads are used. */
      poll: z.int().nullable(),
      mmap: z.boolean(),
      kvCacheType: z.string(),
      kvCellsPerSequence: z.int(),
      flashAttention: z.enum(['on', 'off', 'auto']),
    })
    .safeParse(driver);
  if (settings.success) return settings.data;
  throw new EngineError(
    'failed',
    `the driver does not report how it ran: ${z.prettifyError(settings.error)}`,
  );
}

/** The first row warms up; then rows of one step, of which the prefill counts; then whole runs. */
export function batchedRun(shape: Shape, turn: Turn, cellsPerSequence: number): BenchRun {
  const short = (turn.warmUp ? 1 : 0) + turn.prefills;
  const steps = Array.from({ length: short + turn.runs }, (_, row) => (row < short ? 1 : shape.generate - 1));
  return { batchSize: shape.batchSize, promptLength: shape.promptLength, cellsPerSequence, steps };
}

export function benchArguments(
  model: string,
  test: { prompt: number; generate: number; depth: number; repetitions: number; warmUp: boolean },
  driver: Effective,
): string[] {
  const set = settingsOf(driver);
  return [
    ...['-m', model, '-dev', 'none', '-o', 'jsonl', '-r', `${test.repetitions}`],
    ...['-p', `${test.prompt}`, '-n', `${test.generate}`, '-d', `${test.depth}`],
    ...['-b', `${set.nBatch}`, '-ub', `${set.nUbatch}`, '-t', `${set.threads}`],
    ...(set.poll === null ? [] : ['--poll', `${set.poll}`]),
    ...['-fa', set.flashAttention, '-ctk', set.kvCacheType, '-ctv', set.kvCacheType],
    ...(test.warmUp ? [] : ['--no-warmup']),
  ];
}

/** @throws EngineError `protocol-error` */
export function readBenchSamples(stdout: string, repetitions: number): number[] {
  const line = stdout.split('\n').find((text) => text.startsWith('{')) ?? '';
  let samples: readonly number[] = [];
  try {
    samples = benchRowSchema.parse(JSON.parse(line)).samples_ns;
  } catch (cause) {
    const what = `llama-bench printed what is no result: ${line.slice(0, 120)}`;
    throw new EngineError('protocol-error', what, { cause });
  }
  if (samples.length === repetitions) return [...samples];
  throw new EngineError(
    'protocol-error',
    `llama-bench printed ${samples.length} samples, not the ${repetitions} that were asked for`,
  );
}

export async function batchedBench(
  request: LoadRequest,
  toolFolders: readonly string[],
): Promise<ToolProgram> {
  const { tool, model: modelFile, ...facts } = await find('llama-batched-bench', request, toolFolders);
  return {
    ...facts,
    async measure(shape, turn, driver) {
      const set = settingsOf(driver);
      const run = batchedRun(shape, turn, set.kvCellsPerSequence);
      const rows = await runBatchedBench(tool, { ...set, modelFile, kvUnified: false }, run);
      return rows.slice(turn.warmUp ? 1 : 0).map(({ prefillNs, decodeNs }, i) => ({
        prefillNs,
        decodeNs: i < turn.prefills ? null : decodeNs,
      }));
    },
  };
}

export async function llamaBench(request: LoadRequest, toolFolders: readonly string[]): Promise<ToolProgram> {
  const { tool, model, ...facts } = await find('llama-bench', request, toolFolders);
  return {
    ...facts,
    async measure(shape, { warmUp, prefills, runs }, driver) {
      const prompt = {
        prompt: shape.promptLength,
        generate: 0,
        depth: 0,
        repetitions: prefills + runs,
        warmUp,
      };
      const prefill = await runProgram(tool, benchArguments(model, prompt, driver));
      const depth = { prompt: 0, generate: shape.generate - 1, depth: shape.promptLength };
      // The first repetition computes the prompt and pays for the change to decoding; its warm-up is as cheap as none.
      const decode = await runProgram(
        tool,
        benchArguments(model, { ...depth, repetitions: runs + 1, warmUp: true }, driver),
      );
      const decodeNs = readBenchSamples(decode, runs + 1).slice(1);
      return readBenchSamples(prefill, prefills + runs).map((ns, i) => ({
        prefillNs: ns,
        decodeNs: i < prefills ? null : decodeNs[i - prefills]!,
      }));
    },
  };
}

async function find(name: string, request: LoadRequest, toolFolders: readonly string[]) {
  const location = locateLibrary(parseOptions(request.options));
  if ('missing' in location) throw new EngineError('unavailable', location.missing.reason);
  const tool = await chooseTool(name, location.found.dir, toolFolders);
  const caveat = tool.sameBuild ? null : 'the tool is of another build than the library that is driven';
  return {
    tool,
    caveat,
    versions: { [name]: tool.version },
    model: path.join(request.artefactDir, 'model.gguf'),
  };
}
