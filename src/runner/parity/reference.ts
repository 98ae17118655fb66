import { join } from 'node:path';
import type { EngineSession } from '../../engines/engine.ts';
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
    this.makeTogether(scheduled, [shape]);
    return this.#made.get(keyOf(scheduled, shape))!;
  }

  /** Those of the shapes that are not there yet, in one session: loading the reference takes longer than running it. */
  makeTogether(scheduled: ScheduledCell, shapes: readonly ParityShape[]): void {
    const missing = new Map(shapes.map((shape) => [keyOf(scheduled, shape), shape]));
    for (const key of this.#made.keys()) missing.delete(key);
    if (missing.size === 0) return;
    const references = makeReferences(scheduled, missing, this.#context);
    for (const key of missing.keys()) {
      const reference = references.then(
        (made) => made.get(key)!,
        (error) => {
          if (!(error instanceof EngineError)) throw error;
          return { missing: `the reference could not be made: ${error.message}` };
        },
      );
      this.#made.set(key, reference);
    }
  }
}

function keyOf({ cell: { model, precision } }: ScheduledCell, shape: ParityShape): string {
  const { length, spread } = shape.promptLength;
  return `${model}/${precision}/b${shape.batchSize}/p${length}~${spread}/s${shape.steps}`;
}

async function makeReferences(
  scheduled: ScheduledCell,
  shapes: ReadonlyMap<string, ParityShape>,
  context: RunContext,
): Promise<Map<string, ReferenceOrNot>> {
  if ('missing' in context.reference) {
    const { missing } = context.reference;
    return new Map([...shapes.keys()].map((key) => [key, { missing }]));
  }
  const { engine } = context.reference;
  const asFp32 = [...shapes.values()].map(({ batchSize, promptLength, steps }) => ({
    ...scheduled,
    cell: {
      ...scheduled.cell,
      engine: engine.meta.id,
      precision: 'fp32' as const,
      device: 'cpu' as const,
      batchSize,
      promptLength,
      generate: steps,
    },
  }));
  const { model, precision } = scheduled.cell;
  context.onEvent({ type: 'loading', session: `parity reference for ${[...shapes.keys()].join(', ')}` });
  // The canonical weights of the cell's precision, computed with in fp32: int4 means fp32 values on the int4 grid.
  const artefact = await context.artefact(model, engine.meta.artefact, precision);
  const room = [...shapes.values()];
  const request = loadRequest(asFp32, room, artefact, engine.options.parse({}), context.threads);
  const session = await context.clock.engine(() =>
    openSession(engine, request, 'process', context.sweep.timeLimits, context.signal),
  );
  const onAbort = () => {
    if (session instanceof ChildSession) session.kill();
  };
  context.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const watched = context.clock.watch(session);
    const { sha256, chain } = artefact;
    const weights = chain === undefined ? null : { ...chain, artefact: sha256 };
    const made = new Map<string, ReferenceOrNot>();
    for (const [key, shape] of shapes)
      made.set(key, { ...(await answer(watched, key, shape, model, context)), weights });
    return made;
  } finally {
    context.signal.removeEventListener('abort', onAbort);
    await session.close();
  }
}

/** The reference's own greedy continuation of drawn prompts, and its logits along it. */
async function answer(
  session: EngineSession,
  key: string,
  shape: ParityShape,
  model: string,
  context: RunContext,
): Promise<Omit<Reference, 'weights'>> {
  const prompts = drawPrompts(
    promptLengths(shape),
    context.sweep.seed,
    `parity of ${key}`,
    context.modelShape(model),
  );
  const { tokens } = await session.generate({
    prompts,
    generate: shape.steps,
    capacity: parityCapacity(shape),
    measurePeakMemory: false,
  });
  const logitsFile = join(context.scratchDir, `reference-${key.replaceAll('/', '_')}.f32`);
  await session.teacherForce({ prompts, continuation: tokens, logitsFile });
  return { prompts, continuation: tokens, logitsFile };
}
