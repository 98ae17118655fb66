import type { EngineSession } from '../engines/engine.ts';
import type { Repeats, Selection, ToolRun, Turn } from '../engines/yardstick.ts';
import { digestTokens, type Work } from '../runner/work.ts';
import type { Generation } from '../schema/protocol.ts';
import type { Run } from '../schema/record.ts';
import type { Phase } from '../schema/vocabulary.ts';
import { decodeNs as decodeNsOf, isWhole, stepCount } from '../stats/rates.ts';
import { nsToSeconds } from '../units.ts';

/** A prefill as long as this loses nothing worth naming to a cold start. */
const LONG_PREFILL_SECONDS = 0.5;
const MOST_RUNS = 8;
const MOST_PREFILLS = 12;

/** Repeats each phase until it takes `leastSeconds`, within limits, from what a first run took. */
export function planTurn(
  prefillNs: number,
  decodeNs: number,
  leastSeconds: number,
  repeats: readonly Repeats[] = [],
): Turn {
  const needed = (ns: number, most: number) =>
    Math.min(most, Math.max(1, Math.ceil(leastSeconds / Math.max(nsToSeconds(ns), 1e-9))));
  const runs = needed(decodeNs, MOST_RUNS);
  const prefills = Math.max(0, needed(prefillNs, MOST_PREFILLS) - runs);
  return {
    warmUp: nsToSeconds(prefillNs) < LONG_PREFILL_SECONDS,
    prefills,
    runs,
    prefillsAlone: repeats.includes('phases') ? prefills + runs : 0,
  };
}

export interface TakenTurn {
  readonly runs: readonly Run[];
  /** Prefills with no step between them. */
  readonly alone: readonly Run[];
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
  const alone: Run[] = [];
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
  if (turn.prefillsAlone > 0) await generate(1);
  for (let i = 0; i < turn.prefillsAlone; i++) {
    const generation = await generate(1);
    recompiles += generation.recompiles;
    alone.push(prefillOf(generation));
  }
  return { runs, alone, recompiles };
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
  return { runs, alone: [], recompiles: 0 };
}

/** A turn of the driver as it compares with a tool's: runs, and the tokens that each of them counts as generating. */
export interface Comparable {
  readonly runs: readonly Run[];
  readonly generate: number;
}

/** What of the driver's turn a tool's phase is held against. */
export function comparable(
  taken: Pick<TakenTurn, 'runs' | 'alone'>,
  phase: Phase,
  how: { readonly selection: Selection; readonly repeats: Repeats },
  generate: number,
): Comparable {
  const alike = (runs: readonly Run[]) => (how.selection === 'within' ? runs.map(withSelection) : runs);
  if (how.repeats === 'runs') return { runs: alike(taken.runs), generate };
  if (phase === 'prefill') return { runs: alike(taken.alone), generate };
  const later = taken.runs.filter(isWhole).map(laterHalf);
  return { runs: alike(later), generate: 1 + Math.min(...later.map(stepCount)) };
}

/** Each selection added to the phase that it belongs to. */
function withSelection(run: Run): Run {
  const [first = 0, ...later] = run.selectNs;
  const ns = decodeNsOf(run) + later.reduce((sum, value) => sum + value, 0);
  return {
    ...run,
    prefillNs: run.prefillNs + first,
    stepNs: [],
    ...(isWhole(run) ? { stepTotal: { steps: stepCount(run), ns } } : {}),
  };
}

/**
 * The steps that no longer feel the prefill before them: the first one pays for the change of phase, and the next twenty or
 * so find the caches full of what the prompt left (llama.cpp, 60 MB of f16 weights: 1.25 times the time, then 6 % more, falling).
 * @throws Error for a driver that does not tell its steps
 */
function laterHalf(run: Run): Run {
  if (run.stepNs.length < 2)
    throw new Error(
      'a tool that repeats phases is compared with drivers that time at least two steps, each on its own',
    );
  const left = Math.ceil(run.stepNs.length / 2);
  return { ...run, stepNs: run.stepNs.slice(left), selectNs: run.selectNs.toSpliced(1, left) };
}
