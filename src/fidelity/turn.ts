import type { EngineSession } from '../engines/engine.ts';
import type { Selection, ToolRun, Turn } from '../engines/yardstick.ts';
import { digestTokens, type Work } from '../runner/work.ts';
import type { Generation } from '../schema/protocol.ts';
import type { Run } from '../schema/record.ts';
import { decodeNs as decodeNsOf } from '../stats/rates.ts';
import { nsToSeconds } from '../units.ts';

/** A prefill as long as this loses nothing worth naming to a cold start. */
const LONG_PREFILL_SECONDS = 0.5;
const MOST_RUNS = 8;
const MOST_PREFILLS = 12;

/** Repeats each phase until it takes `leastSeconds`, within limits, from what a first run took. */
export function planTurn(prefillNs: number, decodeNs: number, leastSeconds: number): Turn {
  const needed = (ns: number, most: number) =>
    Math.min(most, Math.max(1, Math.ceil(leastSeconds / Math.max(nsToSeconds(ns), 1e-9))));
  const runs = needed(decodeNs, MOST_RUNS);
  return {
    warmUp: nsToSeconds(prefillNs) < LONG_PREFILL_SECONDS,
    prefills: Math.max(0, needed(prefillNs, MOST_PREFILLS) - runs),
    runs,
  };
}

export interface TakenTurn {
  readonly runs: readonly Run[];
  readonly recompiles: number;
}

/** @throws EngineError */
export async function sessionTurn(session: EngineSession, work: Work, turn: Turn): Promise<TakenTurn> {
  const generate = (tokens: number) =>
    session.generate({
      prompts: work.prompts,
      generate: tokens,
      capacity: work.capacity,
      measurePeakMemory: false,
    });
  const runs: Run[] = [];
  let recompiles = 0;
  if (turn.warmUp) await generate(2);
  for (let i = 0; i < turn.prefills; i++) {
    const generation = await generate(2);
    recompiles += generation.recompiles;
    runs.push(prefillOf(generation));
  }
  for (let i = 0; i < turn.runs; i++) {
    const generation = await generate(work.generate);
    recompiles += generation.recompiles;
    runs.push(wholeOf(generation));
  }
  return { runs, recompiles };
}

function wholeOf(generation: Generation): Run {
  const { prefillNs, stepNs, selectNs, stepTotal, wallNs, recompiles, tokens } = generation;
  return {
    prefillNs,
    stepNs,
    selectNs,
    ...(stepTotal === undefined ? {} : { stepTotal }),
    wallNs,
    recompiles,
    tokensReturned: tokens.reduce((sum, row) => sum + row.length, 0),
    tokensSha256: tokens.length === 0 ? null : digestTokens(tokens),
  };
}

/** Its one step is there so that both sides end a run alike, and does not count. */
const prefillOf = (generation: Generation): Run => ({
  ...wholeOf(generation),
  stepNs: [],
  selectNs: generation.selectNs.slice(0, 1),
  tokensSha256: null,
});

/** A program's times in the form of an engine's. */
export function programRuns(times: readonly ToolRun[], work: Work): TakenTurn {
  const runs = times.map(({ prefillNs, decodeNs }): Run => {
    const steps = work.generate - 1;
    return {
      prefillNs,
      stepNs: [],
      selectNs: [],
      ...(decodeNs === null ? {} : { stepTotal: { steps, ns: decodeNs } }),
      wallNs: prefillNs + (decodeNs ?? 0),
      recompiles: 0,
      tokensReturned: 0,
      tokensSha256: null,
    };
  });
  return { runs, recompiles: 0 };
}

/** The driver's runs as they compare with a tool's: with its selection where the tool's times contain theirs. */
export function comparable(runs: readonly Run[], selection: Selection): Run[] {
  if (selection === 'apart') return [...runs];
  return runs.map((run) => {
    const [first = 0, ...later] = run.selectNs;
    const isWhole = run.stepNs.length > 0 || run.stepTotal !== undefined;
    const ns = decodeNsOf(run) + later.reduce((sum, value) => sum + value, 0);
    const steps = run.stepTotal?.steps ?? run.stepNs.length;
    return {
      ...run,
      prefillNs: run.prefillNs + first,
      stepNs: [],
      ...(isWhole ? { stepTotal: { steps, ns } } : {}),
    };
  });
}
