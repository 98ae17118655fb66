import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineSession } from '../engines/engine.ts';
import { EngineError } from '../errors.ts';
import type { Cell } from '../schema/cell.ts';
import { cellKey } from '../schema/cell.ts';
import type { ModelShape } from '../schema/model.ts';
import type { Generation } from '../schema/protocol.ts';
import type { Run, VerificationRecord } from '../schema/record.ts';
import { decodeNs } from '../stats/rates.ts';
import { looksRepeated, unseenTime } from '../stats/verification.ts';
import { readLogits } from './parity/logits-file.ts';
import { refutedTokens } from './parity/refuted.ts';
import { drawPrompts, type Work } from './work.ts';

/** A whole run of a cell with the duration of its call by the harness's own clock. */
export interface Observed {
  readonly generation: Generation;
  readonly callNs: number;
}

export interface Evidence {
  readonly cell: Cell;
  readonly work: Work;
  readonly session: EngineSession;
  /** The beginnings of all timed runs that decoded. */
  readonly known: readonly TimedHead[];
  /** The quickest whole run of all rounds. */
  readonly observed: Observed;
  readonly seed: number;
  readonly vocabulary: Pick<ModelShape, 'vocabSize' | 'specialTokenIds'>;
  readonly scratchDir: string;
}

/** Decode steps of a run that only verifies; enough for a median, and little beside a cell's own. */
const MOST_STEPS = 8;
/** Prefill and the first steps of a run: later steps have longer contexts, and are compared with nothing. */
export type TimedHead = Pick<Run, 'prefillNs' | 'stepNs'>;

export const headOf = ({ prefillNs, stepNs }: Run): TimedHead => ({
  prefillNs,
  stepNs: stepNs.slice(0, MOST_STEPS),
});

/** As much of an answer is held against logits as fit in a file of this size: all of it, except from large batches. */
const LOGITS_BYTES = 16 * 2 ** 20;
/** A run with other prompts that took much longer is tried this often before it is believed. */
const ATTEMPTS = 5;

/**
 * Holds a cell's answer against the engine's own logits, and its times against a run with prompts that the session has
 * never seen: an answer that belongs to another cell, or that was kept from an earlier run, shows in one of the two.
 */
export async function gatherEvidence(evidence: Evidence): Promise<VerificationRecord> {
  const { cell, work, observed } = evidence;
  const { tokens, stepTotal } = observed.generation;
  const nothing = { forcedTokens: 0, refutedTokens: 0, answersOtherPrompts: false, fresh: [] };
  const record = {
    kind: 'verification' as const,
    cell,
    rowLengths: tokens.map((row) => row.length),
    ...nothing,
    quickestCall: { callNs: observed.callNs, decodeNs: decodeNs(observed.generation) },
  };
  // A tool of an engine's own shows neither ids nor logits, and takes no prompts.
  if (stepTotal !== undefined) return { ...record, quickestCall: null };
  if (tokens.length !== work.prompts.length || tokens.some((row) => row.length !== work.generate))
    return record;

  const steps = Math.max(1, Math.min(MOST_STEPS, Math.floor((work.generate - 1) / 2)));
  const fresh = await runFresh(evidence, steps, 0);
  const attempts = [fresh.attempt];
  const doubtful = looksRepeated(attempts[0]!.run, evidence.known);
  for (let attempt = 0; doubtful && attempt < ATTEMPTS; attempt++) {
    const next = attempt === 0 ? fresh : await runFresh(evidence, steps, attempt);
    const { prefillNs, stepNs } = await generate(evidence, work.prompts, work.generate);
    attempts[attempt] = { ...next.attempt, repeated: { prefillNs, stepNs } };
  }
  const quickestCall = await callAgainIfUnseen(evidence, record.quickestCall, attempts);
  const same = fresh.tokens.every((row, i) => row.every((id, step) => id === tokens[i]![step]));
  const fitting = Math.floor(LOGITS_BYTES / (4 * tokens.length * evidence.vocabulary.vocabSize)) - 1;
  const forced = Math.min(work.generate - 1, Math.max(steps, fitting));
  const own = await force(evidence, work.prompts, tokens, forced);
  const other = same ? await force(evidence, fresh.prompts, fresh.tokens, steps) : null;
  return {
    ...record,
    forcedTokens: own?.forced ?? 0,
    refutedTokens: own?.refuted ?? 0,
    answersOtherPrompts: (other?.refuted ?? 0) > 0,
    quickestCall,
    fresh: attempts,
  };
}

/**
 * The quickest whole run again, where the harness's clock saw much that the engine did not report: of a run that a busy
 * machine held up, a quicker one tells; of one that hides its work, none does.
 */
async function callAgainIfUnseen(
  evidence: Evidence,
  first: NonNullable<VerificationRecord['quickestCall']>,
  fresh: readonly Attempt[],
): Promise<NonNullable<VerificationRecord['quickestCall']>> {
  let quickestCall = first;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (unseenTime({ quickestCall, fresh: [...fresh] }) === null) break;
    const called = process.hrtime.bigint();
    const generation = await generate(evidence, evidence.work.prompts, evidence.work.generate);
    const callNs = Number(process.hrtime.bigint() - called);
    if (callNs < quickestCall.callNs) quickestCall = { callNs, decodeNs: decodeNs(generation) };
  }
  return quickestCall;
}

type Attempt = VerificationRecord['fresh'][number];

async function runFresh(evidence: Evidence, steps: number, attempt: number) {
  const { cell, work, seed, vocabulary } = evidence;
  const lengths = work.prompts.map((row) => row.length);
  const prompts = drawPrompts(lengths, seed, `verification ${attempt} of ${cellKey(cell)}`, vocabulary);
  const called = process.hrtime.bigint();
  const { prefillNs, stepNs, tokens } = await generate(evidence, prompts, steps + 1);
  const callNs = Number(process.hrtime.bigint() - called);
  const made: Attempt = { callNs, run: { prefillNs, stepNs }, repeated: null };
  return { prompts, tokens, attempt: made };
}

function generate({ session, work }: Evidence, prompts: number[][], tokens: number): Promise<Generation> {
  return session.generate({ prompts, generate: tokens, capacity: work.capacity, measurePeakMemory: false });
}

/** Null where the engine shows no logits. */
async function force(evidence: Evidence, prompts: number[][], tokens: number[][], steps: number) {
  const { session, cell, scratchDir } = evidence;
  const logitsFile = join(scratchDir, `${cellKey(cell).replaceAll('/', '_')}.f32`);
  const continuation = tokens.map((row) => row.slice(0, steps));
  try {
    const { vocabSize } = await session.teacherForce({ prompts, continuation, logitsFile });
    const rows = tokens.map((row) => row.slice(0, steps + 1));
    const refuted = refutedTokens(await readLogits(logitsFile), vocabSize, rows, cell.precision);
    return { forced: rows.length * (steps + 1), refuted };
  } catch (error) {
    if (error instanceof EngineError && error.code === 'unsupported') return null;
    throw error;
  } finally {
    await rm(logitsFile, { force: true });
  }
}
