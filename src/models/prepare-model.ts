import { EngineError } from '../errors.ts';
import type { Device, Precision } from '../schema/vocabulary.ts';
import type { MakeOptions } from './cache.ts';
import type { ResolvedModel } from './catalogue.ts';
import { compareArtefact, type Verification } from './compare-artefact.ts';
import { type Artefact, prepareArtefact } from './prepare.ts';
import type { MadeKind } from './recipe.ts';

export interface PrepareModelOptions extends MakeOptions {
  readonly device: Device;
  /** Compare every tensor and constant of each artefact with the canonical checkpoint. */
  readonly verify?: boolean;
}

export type PreparedModel = { readonly kind: MadeKind; readonly precision: Precision } & (
  | { readonly outcome: 'prepared'; readonly artefact: Artefact; readonly verification: Verification | null }
  /** This precision has no such artefact, and why; the others are made all the same. */
  | { readonly outcome: 'impossible'; readonly reason: string }
);

/**
 * Everything that the engines need of one model, checkpoints first. What a format cannot carry is an outcome; mistakes
 * in the model's files, a full disk and defects are thrown.
 */
export async function prepareModel(
  model: ResolvedModel,
  precisions: readonly Precision[],
  kinds: readonly MadeKind[],
  { device, verify = false, ...options }: PrepareModelOptions,
): Promise<PreparedModel[]> {
  const results: PreparedModel[] = [];
  const ordered = [...new Set<MadeKind>(['checkpoint', ...kinds])];
  for (const precision of precisions) {
    for (const kind of ordered) {
      try {
        const artefact = await prepareArtefact({ model, kind, precision, device, ...options });
        const verification =
          verify && isDerived(kind, precision, device, kinds)
            ? await verifyArtefact(model, kind, precision, device, options)
            : null;
        results.push({ kind, precision, outcome: 'prepared', artefact, verification });
      } catch (error) {
        if (!(error instanceof EngineError) || error.code !== 'unsupported') throw error;
        results.push({ kind, precision, outcome: 'impossible', reason: error.message });
      }
    }
  }
  return results;
}

/** A checkpoint is what others are compared with, but for int4 on the CPU: those that load it pack its matrices anew. */
function isDerived(
  kind: MadeKind,
  precision: Precision,
  device: Device,
  loaded: readonly MadeKind[],
): boolean {
  return kind !== 'checkpoint' || (precision === 'int4' && device === 'cpu' && loaded.includes(kind));
}

/** Every tensor and constant of a prepared artefact against the canonical checkpoint. */
export async function verifyArtefact(
  model: ResolvedModel,
  kind: MadeKind,
  precision: Precision,
  device: Device,
  options: Omit<MakeOptions, 'force'> = {},
): Promise<Verification> {
  const request = { model, precision, device, ...options, force: false };
  const checkpoint = await prepareArtefact({ ...request, kind: 'checkpoint' });
  const artefact = await prepareArtefact({ ...request, kind });
  const what = kind === 'checkpoint' ? 'matrices as they are packed' : kind;
  options.onProgress?.(`comparing the ${precision} ${what} with the checkpoint`);
  return await compareArtefact(kind, artefact.dir, checkpoint.dir, options);
}
