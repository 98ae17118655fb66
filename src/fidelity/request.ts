import type { Engine } from '../engines/engine.ts';
import { requireSupport } from '../engines/support.ts';
import type { EngineYardsticks } from '../engines/yardstick.ts';
import { EngineError } from '../errors.ts';
import type { PreparedArtefact } from '../runner/context.ts';
import type { LoadRequest } from '../schema/protocol.ts';
import { PRECISIONS, type Precision } from '../schema/vocabulary.ts';
import type { Comparison } from './declaration.ts';
import type { FidelityContext } from './run.ts';

/** One model in one weight format, for one engine. */
export interface Subject {
  readonly comparison: Comparison;
  readonly engine: Engine;
  readonly yardsticks: EngineYardsticks;
  readonly model: string;
  readonly weights: string;
  readonly context: FidelityContext;
}

/**
 * What the driver is asked to load; its model files are made where they are not there.
 * @throws EngineError `unavailable` for a build that this machine lacks, `unsupported` for weights that the engine does not run
 */
export async function requestOf(subject: Subject): Promise<LoadRequest> {
  const { comparison, engine, yardsticks, model, context } = subject;
  const { build, options, batchSizes, promptLengths, generate } = comparison;
  const ofBuild = build === undefined ? {} : yardsticks.builds[build]!(context.toolFolders);
  const { artefact, precision } = await artefactOf(subject);
  return {
    model,
    artefactDir: artefact.dir,
    precision,
    device: 'cpu',
    threads: context.threads,
    maxBatchSize: Math.max(...batchSizes),
    maxSequenceLength: Math.max(...promptLengths) + generate,
    options: engine.options.parse({ ...ofBuild, ...options }),
  };
}

async function artefactOf({
  comparison,
  engine,
  yardsticks,
  model,
  weights,
  context,
}: Subject): Promise<{ artefact: PreparedArtefact; precision: Precision }> {
  const { artefact: kind, title } = engine.meta;
  const precision = PRECISIONS.find((name) => name === weights);
  if (precision !== undefined) {
    requireSupport(engine.meta, 'cpu', precision, comparison.options);
    return { artefact: await context.artefact(model, kind, precision), precision };
  }
  const format = yardsticks.formats[weights];
  if (format === undefined) throw new EngineError('unsupported', `${title} is not compared in ${weights}`);
  const source = await context.artefact(model, kind, format.from);
  const made = await context.derived(source, weights, (outDir) => format.make(source.dir, outDir));
  return { artefact: made, precision: format.loadedAs };
}
