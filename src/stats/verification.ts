import type { Cell } from '../schema/cell.ts';
import type { Run, VerificationRecord } from '../schema/record.ts';
import { median } from './descriptive.ts';

/** Prompts that the session has not seen may take this many times as long; what is kept from a run takes almost none. */
const MOST_TIMES = 3;
/** Below this a difference of two times says nothing: a machine that others use takes the processor away for as long. */
const LEAST_DIFFERENCE_NS = 10e6;
/** The same where a pipe lies between: a reply waits for its turn, too. */
const LEAST_UNSEEN_NS = 50e6;
/** Between the engine's steps and the harness's clock lie selections and bookkeeping: never as much as the steps. */
const LEAST_SHARE_REPORTED = 0.5;

type Times = Pick<Run, 'prefillNs' | 'stepNs'>;

const exceeds = (longer: number, shorter: number): boolean =>
  longer > MOST_TIMES * shorter && longer - shorter > LEAST_DIFFERENCE_NS;

/** Whether runs of known prompts were so much quicker than `fresh` that their answers may have been kept. */
export function looksRepeated(fresh: Times, known: readonly Times[]): boolean {
  if (known.length === 0) return false;
  const steps = fresh.stepNs.length;
  const knownStepNs = known.flatMap(({ stepNs }) => stepNs.slice(0, steps));
  const knownDecodeNs = knownStepNs.length === 0 ? Infinity : median(knownStepNs) * steps;
  const freshDecodeNs = steps === 0 ? 0 : median(fresh.stepNs) * steps;
  return (
    exceeds(fresh.prefillNs, median(known.map(({ prefillNs }) => prefillNs))) ||
    exceeds(freshDecodeNs, knownDecodeNs)
  );
}

/** Of a run, as far as another of so many steps can be compared with it. */
const phasesOf = (
  { prefillNs, stepNs }: Times,
  steps: number,
): readonly [prefill: number, decode: number] => [
  prefillNs,
  steps === 0 ? 0 : median(stepNs.slice(0, steps)) * steps,
];

/**
 * Whether, in one phase, even the quickest run of new prompts took much longer than the slowest repetition of the cell's
 * own: a scheduler that holds up runs by chance does not spare all of one kind and none of the other.
 */
function answersWereKept(fresh: VerificationRecord['fresh']): boolean {
  if (fresh.length === 0) return false;
  const pairs = fresh.flatMap(({ run, repeated }) => {
    if (repeated === null || (run.stepNs.length > 0 && repeated.stepNs.length === 0)) return [];
    const steps = run.stepNs.length;
    return [{ made: phasesOf(run, steps), again: phasesOf(repeated, steps) }];
  });
  if (pairs.length < fresh.length) return false;
  return [0, 1].some((phase) =>
    exceeds(
      Math.min(...pairs.map(({ made }) => made[phase]!)),
      Math.max(...pairs.map(({ again }) => again[phase]!)),
    ),
  );
}

/**
 * Of the decode steps that the quickest whole run has more than the quickest run of new prompts: what the harness's clock
 * saw, and what the engine reported of it. Null where the two agree as far as can be told.
 */
export function unseenTime({
  quickestCall,
  fresh,
}: Pick<VerificationRecord, 'quickestCall' | 'fresh'>): { seenNs: number; reportedNs: number } | null {
  if (!quickestCall || fresh.length === 0) return null;
  const quickestFresh = fresh.reduce((least, next) => (next.callNs < least.callNs ? next : least));
  const seenNs = quickestCall.callNs - quickestFresh.callNs;
  const reportedNs = quickestCall.decodeNs - sum(quickestFresh.run.stepNs);
  const unseen = seenNs - reportedNs > LEAST_UNSEEN_NS && reportedNs < seenNs * LEAST_SHARE_REPORTED;
  return unseen ? { seenNs, reportedNs } : null;
}

/** What the evidence gathered after the last round refutes, in words. An empty list is a condition for `ok`. */
export function verificationViolations(
  cell: Cell,
  samples: readonly { readonly runs: readonly Pick<Run, 'stepTotal'>[] }[],
  { rowLengths, forcedTokens, refutedTokens, answersOtherPrompts, quickestCall, fresh }: VerificationRecord,
): string[] {
  const found: string[] = [];
  const told = samples.some(({ runs }) => runs.some(({ stepTotal }) => stepTotal === undefined));
  if (
    told &&
    (rowLengths.length !== cell.batchSize || rowLengths.some((length) => length !== cell.generate))
  ) {
    found.push(
      `rows of ${[...new Set(rowLengths)].join(', ')} tokens for ${rowLengths.length} sequences instead of ${cell.generate} for ${cell.batchSize}`,
    );
  }
  if (refutedTokens > 0)
    found.push(`${refutedTokens} of ${forcedTokens} tokens are not what the engine's own logits choose`);
  if (answersOtherPrompts) found.push('the same answer was given to other prompts');
  const [first] = fresh;
  if (first && answersWereKept(fresh)) {
    const { run, repeated } = first;
    found.push(
      `prompts seen for the first time took ${ms(run.prefillNs)} to prefill and ${ms(median(run.stepNs))} a step, the cell's own ${ms(repeated!.prefillNs)} and ${ms(median(repeated!.stepNs))}: answers were kept from earlier runs`,
    );
  }
  const unseen = unseenTime({ quickestCall, fresh });
  if (unseen !== null) {
    found.push(
      `the engine reports ${ms(unseen.reportedNs)} for decode steps that took ${ms(unseen.seenNs)} by the harness's clock`,
    );
  }
  return found;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const ms = (ns: number): string => `${(ns / 1e6).toPrecision(3)} ms`;
