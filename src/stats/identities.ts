import type { Cell } from '../schema/cell.ts';
import type { Effective } from '../schema/protocol.ts';
import type { PreparationRecord, Run } from '../schema/record.ts';
import { median } from './descriptive.ts';
import { decodeNs } from './rates.ts';
import type { SampleSummary } from './run-summary.ts';

/**
 * What must hold in every record (spec/metrics, "Identities"). Each function returns the breaches in words; a cell with
 * any is `invalid`: kept and listed, never charted, never divided.
 */

/** Clock readings nest, so phases sum to at most the wall; the allowance is for times kept as floating-point seconds. */
const WALL_ALLOWANCE = 1e-6;

const badTime = (ns: number, least: number): boolean => !Number.isFinite(ns) || ns < least;

/** A whole generation has a digest of its ids, or the steps that a tool counted; a prefill alone has neither. */
const isWholeGeneration = (run: Pick<Run, 'tokensSha256' | 'stepTotal'>): boolean =>
  run.tokensSha256 !== null || (run.stepTotal?.steps ?? 0) > 0;

/** Breaches in one run, a whole generation or a prefill alone. */
export function runViolations(cell: Cell, run: Run): string[] {
  const tokensEach = isWholeGeneration(run) ? cell.generate : 1;
  const found: string[] = [];
  const expect = (what: string, seen: number, wanted: number): void => {
    if (seen !== wanted) found.push(`${what}: ${seen} instead of ${wanted}`);
  };
  const { stepTotal } = run;
  if (stepTotal === undefined) {
    expect('tokens returned', run.tokensReturned, cell.batchSize * tokensEach);
    expect('timed decode steps', run.stepNs.length, tokensEach - 1);
    expect('timed selections', run.selectNs.length, tokensEach);
  } else {
    // An engine's own tool counts its steps; there are no ids that could be counted, and no selection.
    expect('decode steps of the tool', stepTotal.steps, tokensEach - 1);
    if (stepTotal.steps > 0 && badTime(stepTotal.ns, Number.MIN_VALUE))
      found.push(`decode time of ${stepTotal.ns} ns`);
  }
  expect('recompilations while timing', run.recompiles, 0);

  if (badTime(run.prefillNs, Number.MIN_VALUE)) found.push(`prefill time of ${run.prefillNs} ns`);
  const step = run.stepNs.find((ns) => badTime(ns, Number.MIN_VALUE));
  if (step !== undefined) found.push(`decode step time of ${step} ns`);
  const selection = run.selectNs.find((ns) => badTime(ns, 0));
  if (selection !== undefined) found.push(`selection time of ${selection} ns`);
  if (badTime(run.wallNs, Number.MIN_VALUE)) found.push(`wall time of ${run.wallNs} ns`);

  const add = (total: number, ns: number) => total + ns;
  const phasesNs = run.selectNs.reduce(add, run.prefillNs + decodeNs(run));
  if (phasesNs > run.wallNs * (1 + WALL_ALLOWANCE)) {
    found.push(`phases of ${phasesNs} ns within a wall time of ${run.wallNs} ns`);
  }
  return found;
}

/** Breaches in the prompts that a cell was given. */
export function promptViolations(cell: Cell, promptTokens: number): string[] {
  const { length, spread } = cell.promptLength;
  const most = cell.batchSize * length;
  // A ragged batch holds one prompt of the full length; the others have at least ⌈P·(1−s)⌉ tokens.
  const least = length + (cell.batchSize - 1) * Math.ceil(length * (1 - spread));
  if (promptTokens >= least && promptTokens <= most) return [];
  return [
    `prompt tokens of the batch: ${promptTokens} instead of ${least === most ? most : `${least} to ${most}`}`,
  ];
}

/**
 * Breaches in where a session says that it ran: an engine that falls back to another device or provider without a word
 * would be charted as what it is not. Engines record `device` where their library tells it, and `fallback` in words.
 */
export function placementViolations(cell: Cell, effective: Effective): string[] {
  const { device, fallback } = effective;
  const found: string[] = [];
  if (typeof device === 'string' && device !== cell.device)
    found.push(`it ran on ${device} instead of ${cell.device}`);
  if (typeof fallback === 'string') found.push(`it fell back: ${fallback}`);
  return found;
}

/** Times below this are too short for what follows to be more than jitter. */
const LEAST_SELECTION_NS = 1e6;
const LEAST_WALL_NS = 20e6;
/** Of fewer values than this, one that the scheduler held up decides the median; it may be held up for this long. */
const VALUES_FOR_A_MEDIAN = 3;
const HELD_UP_NS = 20e6;

/**
 * Breaches that show over all runs of a cell: a device that was not waited for finishes its work in the selection after,
 * or outside of all phases. An argmax reads what the forward computed, and cannot take longer than it. Each run gives its
 * median step and selection, and the median of these is judged.
 */
export function timingViolations(samples: readonly Pick<SampleSummary, 'runs'>[]): string[] {
  const runs = samples.flatMap((sample) => sample.runs.filter((run) => run.firstSelectNs !== null));
  if (runs.length === 0) return [];
  const found: string[] = [];
  const compare = (
    what: string,
    phaseNs: readonly number[],
    selectionNs: readonly number[],
    values: number,
  ): void => {
    if (phaseNs.length === 0 || selectionNs.length === 0) return;
    const leastNs = values < VALUES_FOR_A_MEDIAN ? HELD_UP_NS : LEAST_SELECTION_NS;
    const phase = median(phaseNs);
    const selection = median(selectionNs);
    if (selection <= Math.max(phase, leastNs)) return;
    found.push(
      `selection of ${Math.round(selection)} ns after a ${what} of ${Math.round(phase)} ns: it was not waited for`,
    );
  };
  compare(
    'prefill',
    runs.map(({ prefillNs }) => prefillNs),
    runs.map(({ firstSelectNs }) => firstSelectNs!),
    runs.length,
  );
  compare(
    'decode step',
    runs.flatMap(({ medianStepNs }) => medianStepNs ?? []),
    runs.flatMap(({ medianLaterSelectNs }) => medianLaterSelectNs ?? []),
    runs.reduce((sum, { steps }) => sum + steps, 0),
  );
  const accounted = runs.map((run) => {
    const phasesNs = run.prefillNs + run.decodeNs + run.selectionNs;
    return run.wallNs < LEAST_WALL_NS ? 1 : phasesNs / run.wallNs;
  });
  if (median(accounted) < 0.5) {
    found.push(`phases are ${(median(accounted) * 100).toFixed(0)} % of the wall time of their runs`);
  }
  return found;
}

/**
 * Breaches in all that was recorded of a cell, each named once with the rounds it was seen in. An empty list is the
 * condition for `ok`.
 */
export function cellViolations(
  cell: Cell,
  preparation: Pick<PreparationRecord, 'promptTokens'> | undefined,
  samples: readonly Pick<SampleSummary, 'round' | 'runs'>[],
): string[] {
  if (preparation === undefined) return ['the prompts of the cell were not recorded'];
  const found = promptViolations(cell, preparation.promptTokens);
  if (samples.length === 0) found.push('no sample was recorded');

  const byKind = new Map<string, { first: string; rounds: Set<number> }>();
  const digests = new Set<string>();
  const note = (violation: string, round: number): void => {
    const kind = violation.replace(/\d[\d.e+-]*/g, '#');
    const known = byKind.get(kind);
    if (known) known.rounds.add(round);
    else byKind.set(kind, { first: violation, rounds: new Set([round]) });
  };
  for (const { round, runs } of samples) {
    if (!runs.some(isWholeGeneration)) note('no whole generation in the sample', round);
    for (const run of runs) {
      for (const violation of run.violations) note(violation, round);
      if (run.tokensSha256 !== null) digests.add(run.tokensSha256);
    }
  }
  found.push(...timingViolations(samples));
  for (const { first, rounds } of byKind.values()) {
    const seen = [...rounds];
    const listed = seen.length > 6 ? `${seen.slice(0, 6).join(', ')}, …` : seen.join(', ');
    found.push(`${first} (round ${listed})`);
  }
  if (digests.size > 1) {
    found.push(`${digests.size} different answers to the same prompts (digests of the generated ids differ)`);
  }
  return found;
}
