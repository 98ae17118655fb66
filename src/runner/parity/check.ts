import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineSession } from '../../engines/engine.ts';
import { EngineError } from '../../errors.ts';
import { sessionKey } from '../../schema/cell.ts';
import type { ParityRecord } from '../../schema/record.ts';
import type { RunContext } from '../context.ts';
import type { ScheduledCell } from '../schedule.ts';
import { compareLogits, type LogitsComparison } from './compare.ts';
import type { References } from './reference.ts';
import type { ParityShape } from './shape.ts';
import { LEAST_TOP1_AGREEMENT, PARITY_TOLERANCE } from './tolerance.ts';

/**
 * Does this session compute what PyTorch eager computes in fp32 on the same canonical weights? Teacher-forced: prompt and
 * continuation are fixed, so one early difference cannot hide the rest. Never throws for the reference's sake: a missing
 * reference leaves the check undone and says why.
 */
export async function checkParity(
  scheduled: ScheduledCell,
  session: EngineSession,
  references: References,
  shape: ParityShape,
  context: RunContext,
): Promise<ParityRecord> {
  const { cell, choice } = scheduled;
  const unchecked = (reason: string) => parityRecord(scheduled, { verdict: 'unchecked', reason });
  if (!context.parity) return unchecked('switched off by --no-parity');
  if (context.engines.get(choice.engine)!.meta.artefact === 'none')
    return unchecked('this engine loads no model');
  const reference = await references.for(scheduled, shape);
  if ('missing' in reference) return unchecked(reference.missing);

  const logitsFile = join(context.scratchDir, `${sessionKey(cell).replaceAll('/', '_')}.f32`);
  const { vocabSize } = await session.teacherForce({
    prompts: reference.prompts,
    continuation: reference.continuation,
    logitsFile,
  });
  const comparison = compareFiles(
    await readLogits(reference.logitsFile),
    await readLogits(logitsFile),
    vocabSize,
  );
  const tolerance = PARITY_TOLERANCE[cell.precision];
  const problems: string[] = [];
  if (!(comparison.normalisedError <= tolerance)) {
    problems.push(`normalised logit error ${comparison.normalisedError.toPrecision(3)} exceeds ${tolerance}`);
  }
  if (comparison.top1Agreement < LEAST_TOP1_AGREEMENT) {
    problems.push(`only ${(comparison.top1Agreement * 100).toFixed(1)} % of the decided tokens agree`);
  }
  return parityRecord(scheduled, {
    verdict: problems.length === 0 ? 'match' : 'mismatch',
    reason: problems.length === 0 ? null : problems.join('; '),
    // JSON knows no infinity: an unbounded error is stored as none, and the reason says it.
    normalisedError: Number.isFinite(comparison.normalisedError) ? comparison.normalisedError : null,
    tolerance,
    top1Agreement: comparison.top1Agreement,
    steps: reference.continuation[0]!.length + 1,
  });
}

function parityRecord(
  { cell }: ScheduledCell,
  result: Pick<ParityRecord, 'verdict' | 'reason'> & Partial<ParityRecord>,
): ParityRecord {
  const { engine, model, precision, device } = cell;
  const nothing = { normalisedError: null, tolerance: null, top1Agreement: null, steps: 0 };
  return { kind: 'parity', engine, model, precision, device, ...nothing, ...result };
}

function compareFiles(reference: Float32Array, candidate: Float32Array, vocabSize: number): LogitsComparison {
  try {
    return compareLogits(reference, candidate, vocabSize);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new EngineError('failed', `parity check: ${error.message}`);
  }
}

async function readLogits(path: string): Promise<Float32Array> {
  const bytes = await readFile(path);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
