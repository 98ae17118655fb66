import { join } from 'node:path';
import { EngineError } from '../../errors.ts';
import type { ParityRecord } from '../../schema/record.ts';
import { ChildSession } from '../child/session.ts';
import type { RunContext } from '../context.ts';
import { openSession } from '../open-session.ts';
import type { ScheduledCell } from '../schedule.ts';
import { loadRequest } from '../sessions.ts';
import { drawPrompts } from '../work.ts';
import { type ParityShape, parityCapacity, promptLengths } from './shape.ts';

/** The reference's answer for one model and precision: what was fed, and the logits that came of it. */
export interface Reference {
  readonly prompts: number[][];
  readonly continuation: number[][];
  readonly logitsFile: string;
  /** What it computed with. */
  readonly weights: ParityRecord['reference'];
}

type ReferenceOrNot = Reference | { missing: string };

/** The references of one run, each made once: in fp32, on the canonical weights of the precision it stands for. */
export class References {
  readonly #context: RunContext;
  readonly #made = new Map<string, Promise<ReferenceOrNot>>();

  constructor(context: RunContext) {
    this.#context = context;
  }

  for(scheduled: ScheduledCell, shape: ParityShape): Promise<ReferenceOrNot> {
    const { model, precision } = scheduled.cell;
    const { length, spread } = shape.promptLength;
    const key = `${model}/${precision}/b${shape.batchSize}/p${length}~${spread}/s${shape.steps}`;
    let reference = this.#made.get(key);
    if (reference === undefined) {
      reference = makeReference(scheduled, shape, this.#context, key).catch((error) => {
        if (!(error instanceof EngineError)) throw error;
        return { missing: `the reference could not be made: ${error.message}` };
      });
      this.#made.set(key, reference);
    }
    return reference;
  }
}

async function makeReference(
  scheduled: ScheduledCell,
  shape: ParityShape,
  context: RunContext,
  key: string,
): Promise<ReferenceOrNot> {
  if ('missing' in context.reference) return { missing: context.reference.missing };
  const { engine } = context.reference;
  const { steps } = shape;
  const cell = {
    ...scheduled.cell,
    engine: engine.meta.id,
    device: 'cpu' as const,
    batchSize: shape.batchSize,
    promptLength: shape.promptLength,
    generate: steps,
  };
  const prompts = drawPrompts(
    promptLengths(shape),
    context.sweep.seed,
    `parity of ${key}`,
    context.modelShape(cell.model),
  );
  context.onEvent({ type: 'loading', session: `parity reference for ${key}` });
  // The canonical weights of the cell's precision, computed with in fp32: int4 means fp32 values on the int4 grid.
  const artefact = await context.artefact(cell.model, engine.meta.artefact, cell.precision);
  const asFp32 = { ...scheduled, cell: { ...cell, precision: 'fp32' as const } };
  const request = loadRequest([asFp32], [shape], artefact, engine.options.parse({}), context.threads);
  const session = await context.clock.engine(() =>
    openSession(engine, request, 'process', context.sweep.timeLimits, context.signal),
  );
  const onAbort = () => {
    if (session instanceof ChildSession) session.kill();
  };
  context.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const capacity = parityCapacity(shape);
    const watched = context.clock.watch(session);
    const { tokens } = await watched.generate({
      prompts,
      generate: steps,
      capacity,
      measurePeakMemory: false,
    });
    const logitsFile = join(context.scratchDir, `reference-${key.replaceAll('/', '_')}.f32`);
    await watched.teacherForce({ prompts, continuation: tokens, logitsFile });
    const { sha256, chain } = artefact;
    const weights = chain === undefined ? null : { ...chain, artefact: sha256 };
    return { prompts, continuation: tokens, logitsFile, weights };
  } finally {
    context.signal.removeEventListener('abort', onAbort);
    await session.close();
  }
}
