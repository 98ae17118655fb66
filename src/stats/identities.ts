import type { Cell } from '../schema/cell.ts';
import type { PreparationRecord, Run, SampleRecord } from '../schema/record.ts';

/**
 * What must hold in every record (spec/metrics, "Identities"). Each function returns the breaches in words; a cell with
 * any is `invalid`: kept and listed, never charted, never divided.
 */

/** Clock readings nest, so phases sum to at most the wall; the allowance is for times kept as floating-point seconds. */
const WALL_ALLOWANCE = 1e-6;

const badTime = (ns: number, least: number): boolean => !Number.isFinite(ns) || ns < least;

/** Breaches in one run, a whole generation or (without a digest) a prefill alone. */
export function runViolations(cell: Cell, run: Run): string[] {
  const whole = run.tokensSha256 !== null;
  const tokensEach = whole ? cell.generate : 1;
  const found: string[] = [];
  const expect = (what: string, seen: number, wanted: number): void => {
    if (seen !== wanted) found.push(`${what}: ${seen} instead of ${wanted}`);
  };
  expect('tokens returned', run.tokensReturned, cell.batchSize * tokensEach);
  expect('timed decode steps', run.stepNs.length, tokensEach - 1);
  expect('timed selections', run.selectNs.length, tokensEach);
  expect('recompilations while timing', run.recompiles, 0);

  if (badTime(run.prefillNs, Number.MIN_VALUE)) found.push(`prefill time of ${run.prefillNs} ns`);
  const step = run.stepNs.find((ns) => badTime(ns, Number.MIN_VALUE));
  if (step !== undefined) found.push(`decode step time of ${step} ns`);
  const selection = run.selectNs.find((ns) => badTime(ns, 0));
  if (selection !== undefined) found.push(`selection time of ${selection} ns`);
  if (badTime(run.wallNs, Number.MIN_VALUE)) found.push(`wall time of ${run.wallNs} ns`);

  const add = (total: number, ns: number) => total + ns;
  const phasesNs = run.selectNs.reduce(add, run.stepNs.reduce(add, run.prefillNs));
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
 * Breaches in all that was recorded of a cell, each named once with the rounds it was seen in. An empty list is the
 * condition for `ok`.
 */
export function cellViolations(
  cell: Cell,
  preparation: Pick<PreparationRecord, 'promptTokens'> | undefined,
  samples: readonly Pick<SampleRecord, 'round' | 'runs'>[],
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
    if (!runs.some(({ tokensSha256 }) => tokensSha256 !== null))
      note('no whole generation in the sample', round);
    for (const run of runs) {
      for (const violation of runViolations(cell, run)) note(violation, round);
      if (run.tokensSha256 !== null) digests.add(run.tokensSha256);
    }
  }
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
