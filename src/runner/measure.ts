import { Bench } from 'tinybench';
import type { EngineSession } from '../engines/engine.ts';
import { EngineError } from '../errors.ts';
import type { Generation } from '../schema/protocol.ts';
import type { Run } from '../schema/record.ts';
import { decodeNs as decodeNsOf } from '../stats/rates.ts';
import { digestTokens, type Work } from './work.ts';

export interface WarmupRule {
  readonly runs: number;
  readonly seconds: number;
}

/** An engine that still recompiles after this many warm-up runs is not going to stop. */
const MOST_RECOMPILING_RUNS = 10;

const seconds = (ns: number): number => ns / 1e9;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function run(
  session: EngineSession,
  work: Work,
  generate: number,
  measurePeakMemory = false,
): Promise<Generation> {
  return session.generate({ prompts: work.prompts, generate, capacity: work.capacity, measurePeakMemory });
}

/**
 * Warm-up by the fixed rule of spec/statistics: at least so many full runs and so many seconds of them; and, for engines
 * that compile, until two runs in a row went without a recompile. Never "until it looks stable".
 * @returns decode nanoseconds of each run, which show whether the rule was enough.
 */
export async function warmUp(session: EngineSession, work: Work, rule: WarmupRule): Promise<number[]> {
  const decodeNs: number[] = [];
  let spentNs = 0;
  let quietRuns = 0;
  let sawRecompile = false;
  while (decodeNs.length < rule.runs || seconds(spentNs) < rule.seconds || (sawRecompile && quietRuns < 2)) {
    const generation = await run(session, work, work.generate);
    spentNs += generation.wallNs;
    decodeNs.push(decodeNsOf(generation));
    quietRuns = generation.recompiles === 0 ? quietRuns + 1 : 0;
    sawRecompile ||= generation.recompiles > 0;
    if (sawRecompile && decodeNs.length >= MOST_RECOMPILING_RUNS && quietRuns < 2) {
      throw new EngineError(
        'failed',
        `still recompiling after ${decodeNs.length} warm-up runs of the same shape`,
      );
    }
    if (generation.wallNs === 0) break;
  }
  return decodeNs;
}

/** Peak memory of one full run of the cell, in bytes, from a run whose times are thrown away. */
export async function measurePeakMemory(session: EngineSession, work: Work) {
  const { peakRssBytes, peakDeviceBytes } = await run(session, work, work.generate, true);
  return { peakRssBytes, peakDeviceBytes };
}

/**
 * A cell's turn in one round. tinybench repeats each phase until its own time reaches the least that a timed value may
 * have; the time that counts is the engine's, handed in as `overriddenDuration`, not the time seen across a pipe.
 * `observe` sees every whole run, with the time of its call by this process's clock: for verification, never for rates.
 */
export async function takeSample(
  session: EngineSession,
  work: Work,
  minTimedSeconds: number,
  observe: (whole: Generation, callNs: number) => void = () => {},
): Promise<Run[]> {
  const runs: Run[] = [];
  let firstTokens: string | null = null;
  await repeatUntil(minTimedSeconds, async () => {
    const called = process.hrtime.bigint();
    const generation = await run(session, work, work.generate);
    observe(generation, Number(process.hrtime.bigint() - called));
    firstTokens ??= digestTokens(generation.tokens.map((row) => row.slice(0, 1)));
    runs.push(toRun(generation, digestOf(generation)));
    return decodeNsOf(generation);
  });
  const prefilledSeconds = seconds(sum(runs.map(({ prefillNs }) => prefillNs)));
  if (prefilledSeconds < minTimedSeconds) {
    await repeatUntil(minTimedSeconds - prefilledSeconds, async () => {
      const generation = await run(session, work, 1);
      if (digestTokens(generation.tokens) !== firstTokens) {
        throw new EngineError(
          'failed',
          'a prefill repeated alone chose other first tokens than the whole run',
        );
      }
      runs.push(toRun(generation, null));
      return generation.prefillNs;
    });
  }
  return runs;
}

async function repeatUntil(leastSeconds: number, timedNs: () => Promise<number>): Promise<void> {
  let failure: unknown;
  const bench = new Bench({ iterations: 1, time: leastSeconds * 1e3, warmup: false, throws: false });
  bench.add(
    'sample',
    async () => {
      try {
        return { overriddenDuration: (await timedNs()) / 1e6 };
      } catch (error) {
        // tinybench wraps what its tasks throw; the engine's own words are what the record needs.
        failure = error;
        throw error;
      }
    },
    { async: true },
  );
  await bench.run();
  if (failure !== undefined) throw failure;
}

/** A tool that keeps its ids to itself leaves nothing to digest. */
const digestOf = ({ tokens, stepTotal }: Generation): string | null =>
  stepTotal === undefined ? digestTokens(tokens) : null;

function toRun(generation: Generation, tokensSha256: string | null): Run {
  return {
    prefillNs: generation.prefillNs,
    stepNs: generation.stepNs,
    ...(generation.stepTotal === undefined ? {} : { stepTotal: generation.stepTotal }),
    selectNs: generation.selectNs,
    wallNs: generation.wallNs,
    recompiles: generation.recompiles,
    tokensReturned: sum(generation.tokens.map((row) => row.length)),
    tokensSha256,
  };
}
