// The parity records of one model with weights of one seed, made by the very check that a sweep makes.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { groupBy } from './figures.mjs';

const { contextLimit } = await import('../../dist/engines/context-limit.js');
const { resolveModel } = await import('../../dist/models/catalogue.js');
const { prepareArtefact } = await import('../../dist/models/prepare.js');
const { RunClock } = await import('../../dist/runner/run-clock.js');
const { openSession } = await import('../../dist/runner/open-session.js');
const { checkParity } = await import('../../dist/runner/parity/check.js');
const { References } = await import('../../dist/runner/parity/reference.js');
const { parityShapes, within } = await import('../../dist/runner/parity/shape.js');
const { loadRequest } = await import('../../dist/runner/sessions.js');
const { sweepSchema } = await import('../../dist/schema/sweep.js');

const BATCH_SIZE = 3;
/** Prompts from the length down to 40 % of it. */
const SPREAD = 0.6;
const GENERATE = 16;
const limits = { readySeconds: 600, cellSeconds: 600, closeSeconds: 10 };

/** What tells two records apart: nothing that has a record is measured again. */
export const recordKey = ({ model, seed, precision, engine, promptLength, steps }) =>
  [model, seed, precision, engine, promptLength.length, promptLength.spread, steps].join(' ');

/**
 * Calls `keep` with the new records of each session. `lengthsFor(engine, seed)` are the prompt lengths that the engine is
 * measured at; `known` holds the keys of records that are there.
 */
export async function measure({ name, seed, precisions, engines, reference, lengthsFor, known, keep, log }) {
  const model = await seeded(name, seed);
  const scratchDir = await mkdtemp(join(tmpdir(), 'ortbench-calibrate-'));
  const context = contextOf(model, seed, reference, scratchDir);
  try {
    const references = new References(context);
    const plans = precisions
      .flatMap((precision) => engines.map((engine) => ({ precision, engine })))
      .filter(({ precision, engine }) => engine.meta.precisions.cpu?.[precision] === true)
      .map(({ precision, engine }) => planOf(engine, model, precision, lengthsFor(engine, seed)))
      .map((plan) => withoutKnown(plan, (shape) => known.has(recordKey(keyed(plan, shape, seed)))))
      .filter(({ shapes }) => shapes.length > 0);
    // In one row: the process that makes them does not wait for long.
    for (const { engine, cell } of plans) await context.artefact(name, engine.meta.artefact, cell.precision);
    for (const together of groupBy(plans, ({ cell }) => cell.precision).values()) {
      const shapes = distinct(together.flatMap((plan) => plan.shapes));
      references.makeTogether(together[0].scheduled, shapes);
      for (const plan of together) {
        const what = `${name} seed ${seed} ${plan.cell.precision} ${plan.cell.engine}`;
        try {
          const records = await checkAll(plan, references, context);
          await keep(records.map((record) => ({ seed, ...record })));
          const worst = Math.max(...records.map(({ figures }) => figures.normalisedError));
          log(`${what}: ${records.length} checks, ${worst.toExponential(1)}`);
        } catch (error) {
          if (error.code !== 'unsupported' && error.code !== 'unavailable') throw error;
          log(`${what}: left out, ${error.message}`);
        }
      }
    }
  } finally {
    await rm(scratchDir, { recursive: true, force: true });
  }
}

async function seeded(name, seed) {
  const spec = structuredClone((await resolveModel(name, '.')).spec);
  if (spec.source.kind !== 'architecture') throw new Error(`${name} has no seeded weights`);
  spec.source.seed = seed;
  return await resolveModel(spec, '.');
}

function contextOf(model, seed, reference, scratchDir) {
  return {
    sweep: sweepSchema.parse({
      models: [model.spec],
      engines: ['fake'],
      precisions: ['fp32'],
      batchSizes: [BATCH_SIZE],
      promptLengths: [1],
      timeLimits: limits,
      seed,
    }),
    threads: 1,
    room: { hostMiB: 1000, deviceMiB: null },
    parity: true,
    engines: new Map([[reference.meta.id, reference]]),
    reference: { engine: reference },
    modelShape: () => model.shape,
    artefact: (_, kind, precision) => prepareArtefact({ model, kind, precision, device: 'cpu' }),
    earlier: [],
    append: async () => {},
    onEvent: () => {},
    clock: new RunClock(),
    signal: new AbortController().signal,
    scratchDir,
    startedNs: process.hrtime.bigint(),
  };
}

/** The shapes that a sweep of these lengths would check, cut as it cuts them for an engine that ignores a window. */
function planOf(engine, model, precision, lengths) {
  const { shape } = model;
  const scheduled = (length, spread) => ({
    cell: {
      engine: engine.meta.id,
      model: model.spec.name,
      precision,
      device: 'cpu',
      batchSize: BATCH_SIZE,
      promptLength: { length, spread },
      generate: GENERATE,
    },
    choice: { engine: engine.meta.id, name: engine.meta.id, options: {} },
    hostMiB: 1,
    deviceMiB: null,
  });
  const spreads = engine.meta.ragged ? [0, SPREAD] : [0];
  const { tokens } = contextLimit(engine.meta, shape);
  const shapes = lengths
    .flatMap((length) => spreads.flatMap((spread) => parityShapes([scheduled(length, spread)], shape)))
    .map((checked) => within(checked, tokens));
  // The session is sized by the checks alone: a cell of full length would be refused where a window is ignored.
  const sized = scheduled(1, 0);
  return { engine, scheduled: sized, cell: sized.cell, shapes: distinct(shapes) };
}

const withoutKnown = (plan, isKnown) => ({ ...plan, shapes: plan.shapes.filter((shape) => !isKnown(shape)) });

const keyed = ({ cell }, { promptLength, steps }, seed) => ({
  ...cell,
  seed,
  promptLength,
  // A record counts the position after the prompt, too.
  steps: steps + 1,
});

const distinct = (shapes) => [...new Map(shapes.map((shape) => [JSON.stringify(shape), shape])).values()];

async function checkAll({ engine, scheduled, cell, shapes }, references, context) {
  const artefact = await context.artefact(cell.model, engine.meta.artefact, cell.precision);
  const request = loadRequest([scheduled], shapes, artefact, engine.options.parse({}), context.threads);
  const session = await openSession(engine, request, engine.meta.isolation, limits);
  const held = { ...context, engines: new Map([[engine.meta.id, engine]]) };
  try {
    const records = [];
    for (const shape of shapes) {
      const record = await checkParity(scheduled, session, references, shape, held);
      if (record.figures === null) throw new Error(`${cell.engine} at ${cell.precision}: ${record.reason}`);
      records.push(record);
    }
    return records;
  } finally {
    await session.close();
  }
}
