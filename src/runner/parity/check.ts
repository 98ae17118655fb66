import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineSession } from '../../engines/engine.ts';
import { EngineError } from '../../errors.ts';
import { sessionKey } from '../../schema/cell.ts';
import type { TeacherForceRequest } from '../../schema/protocol.ts';
import type { ParityFigures, ParityRecord } from '../../schema/record.ts';
import type { RunContext } from '../context.ts';
import type { ScheduledCell } from '../schedule.ts';
import { compareLogits } from './compare.ts';
import { readLogits } from './logits-file.ts';
import type { References } from './reference.ts';
import type { ParityShape } from './shape.ts';
import { parityProblems, tolerancesFor } from './tolerance.ts';

/**
 * Does this session compute what PyTorch eager computes in fp32 on the same canonical weights? Teacher-forced: prompt and
 * continuation are fixed, so one early difference cannot hide the rest. Never throws for the reference's sake: a missing
 * reference leaves the check undone and says why.
 */
export function checkParity(
  scheduled: ScheduledCell,
  session: EngineSession,
  references: References,
  shape: ParityShape,
  context: RunContext,
): Promise<ParityRecord> {
  return context.clock.within('checking parity', () => check(scheduled, session, references, shape, context));
}

async function check(...[scheduled, session, references, shape, context]: Parameters<typeof checkParity>) {
  const { cell, choice } = scheduled;
  const unchecked = (reason: string) => parityRecord(scheduled, shape, { verdict: 'unchecked', reason });
  if (!context.parity) return unchecked('switched off by --no-parity');
  const { meta } = context.engines.get(choice.engine)!;
  if (meta.artefact === 'none') return unchecked('this engine loads no model');
  const reference = await references.for(scheduled, shape);
  if ('missing' in reference) return unchecked(reference.missing);

  const { prompts, continuation } = reference;
  const logitsFile = join(context.scratchDir, `${sessionKey(cell).replaceAll('/', '_')}.f32`);
  try {
    const forced = await teacherForce(session, { prompts, continuation, logitsFile });
    if ('refused' in forced) return unchecked(forced.refused);
    const expected = await readLogits(reference.logitsFile);
    const figures = compareFiles(expected, await readLogits(logitsFile), forced.vocabSize);
    const tolerances = tolerancesFor(meta, cell.precision, context.modelShape(cell.model));
    const problems = parityProblems(figures, tolerances);
    return parityRecord(scheduled, shape, {
      verdict: problems.length === 0 ? 'match' : 'mismatch',
      reason: problems.length === 0 ? null : problems.join('; '),
      // JSON knows no infinity: the figures of logits that are no numbers are left out, and the reason says it.
      figures: Number.isFinite(figures.normalisedError) ? figures : null,
      tolerances,
      steps: continuation[0]!.length + 1,
      reference: reference.weights ?? null,
    });
  } finally {
    // A file that an engine did not write again must not be taken for its answer.
    await rm(logitsFile, { force: true });
  }
}

function parityRecord(
  { cell }: ScheduledCell,
  { batchSize, promptLength }: ParityShape,
  result: Pick<ParityRecord, 'verdict' | 'reason'> & Partial<ParityRecord>,
): ParityRecord {
  const { engine, model, precision, device } = cell;
  const session = { engine, model, precision, device, batchSize, promptLength };
  return {
    kind: 'parity',
    ...session,
    figures: null,
    tolerances: null,
    steps: 0,
    reference: null,
    ...result,
  };
}

/** An engine that is driven through a tool of its own has no logits to show: that leaves it unchecked, not failed. */
async function teacherForce(
  session: EngineSession,
  request: TeacherForceRequest,
): Promise<{ vocabSize: number } | { refused: string }> {
  try {
    return await session.teacherForce(request);
  } catch (error) {
    if (error instanceof EngineError && error.code === 'unsupported') return { refused: error.message };
    throw error;
  }
}

function compareFiles(reference: Float32Array, candidate: Float32Array, vocabSize: number): ParityFigures {
  try {
    return compareLogits(reference, candidate, vocabSize);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new EngineError('failed', `parity check: ${error.message}`);
  }
}
