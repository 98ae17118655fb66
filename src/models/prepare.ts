import { z } from 'zod';
import type { ArtefactKind, Device, Precision } from '../schema/vocabulary.ts';
import { type ArtefactFile, readArtefactFile } from './artefact-file.ts';
import { ensureEntry, entryDir, type ListedFile, type MakeOptions, requireRoom } from './cache.ts';
import type { ResolvedModel } from './catalogue.ts';
import { hashJson } from './hashing.ts';
import { callPreparer } from './preparer.ts';
import { entryName, type MadeKind, type Recipe, recipeFor } from './recipe.ts';
import { identifySource } from './source-identity.ts';

export { type CacheUsage, cacheUsage } from './cache.ts';

export interface ArtefactRequest {
  readonly model: ResolvedModel;
  /** `checkpoint` is the canonical one of that precision. */
  readonly kind: ArtefactKind;
  readonly precision: Precision;
  readonly device: Device;
}

export interface Artefact {
  /** checkpoint: a transformers folder. onnx: model.onnx and genai/. gguf: model.gguf. */
  readonly dir: string;
  /** Stands for the files and how they were made. */
  readonly sha256: string;
  readonly bytes: number;
  /** False when it was there already. */
  readonly made: boolean;
}

const replySchema = z.object({ ok: z.literal(true), facts: z.record(z.string(), z.unknown()) });

/** Bytes a parameter, at most: int4 checkpoints are float32 on the int4 grid, other int4 files keep float32 embeddings. */
const BYTES_PER_PARAMETER: Readonly<Record<MadeKind, Readonly<Record<Precision, number>>>> = {
  checkpoint: { fp32: 4.1, fp16: 2.1, bf16: 2.1, int4: 4.1 },
  onnx: { fp32: 4.2, fp16: 2.2, bf16: 2.2, int4: 2.5 },
  gguf: { fp32: 4.1, fp16: 2.1, bf16: 2.1, int4: 2.5 },
};

/**
 * Makes the artefact, and the canonical checkpoint below it, where they are missing. Throws UserError for mistakes in
 * the model's files, EngineError when the format cannot carry the model, InfrastructureError when the disk is full.
 */
export async function prepareArtefact(request: ArtefactRequest & MakeOptions): Promise<Artefact> {
  const { model, kind, precision, device, ...options } = request;
  if (kind === 'none') return { dir: '', sha256: '', bytes: 0, made: false };
  const source = (await identifySource(model, { readFiles: true }))!;
  const recipe = recipeFor(model, source, kind, precision, device);
  if (kind === 'checkpoint') return await make(model, recipe, null, options);
  const present = options.force ? null : await findArtefact(model, recipe);
  if (present !== null) return present;
  const checkpoint = await prepareArtefact({ ...request, kind: 'checkpoint', force: false });
  return await make(model, recipe, checkpoint, options);
}

/** Whether nothing would have to be made. Reads no weights and starts no Python. */
export async function isPrepared({ model, kind, precision, device }: ArtefactRequest): Promise<boolean> {
  if (kind === 'none') return true;
  const source = await identifySource(model, { readFiles: false });
  if (source === null) return false;
  return (await findArtefact(model, recipeFor(model, source, kind, precision, device))) !== null;
}

async function findArtefact(model: ResolvedModel, recipe: Recipe): Promise<Artefact | null> {
  const dir = entryDir(entryName(model, recipe));
  const file = await readArtefactFile(dir);
  return file === null ? null : { dir, sha256: file.sha256, bytes: file.bytes, made: false };
}

async function make(
  model: ResolvedModel,
  recipe: Recipe,
  checkpoint: Artefact | null,
  options: MakeOptions,
): Promise<Artefact> {
  const { kind, precision } = recipe;
  const name = entryName(model, recipe);
  let facts: Record<string, unknown> = {};
  const { file, made } = await ensureEntry(
    name,
    async (out) => {
      const bytes = model.shape.parameters * BYTES_PER_PARAMETER[kind][precision];
      await requireRoom(bytes, `the ${precision} ${kind} of ${model.spec.name}`);
      const request = checkpoint === null ? sourceRequest(model) : derivedRequest(model, checkpoint, recipe);
      ({ facts } = await callPreparer(kind, { ...request, precision, out }, replySchema, options));
    },
    (files) => description(model, recipe, checkpoint, facts, files),
    options,
  );
  return { dir: entryDir(name), sha256: file.sha256, bytes: file.bytes, made };
}

function sourceRequest({ spec, folder }: ResolvedModel): Record<string, unknown> {
  const source = folder === null ? spec.source : { kind: 'folder', path: folder };
  return { source, layers: spec.layers ?? null };
}

function derivedRequest(
  { spec }: ResolvedModel,
  checkpoint: Artefact,
  { kind, device }: Recipe,
): Record<string, unknown> {
  return { checkpoint: checkpoint.dir, ...(kind === 'onnx' ? { device } : { name: spec.name }) };
}

function description(
  { spec, origin }: ResolvedModel,
  recipe: Recipe,
  checkpoint: Artefact | null,
  facts: Record<string, unknown>,
  files: readonly ListedFile[],
): ArtefactFile {
  const chain = {
    recipeSha256: hashJson(recipe),
    checkpointSha256: checkpoint?.sha256 ?? null,
    files: [...files],
  };
  return {
    format: 1,
    model: spec.name,
    origin,
    kind: recipe.kind,
    precision: recipe.precision,
    device: recipe.device,
    recipe: { ...recipe },
    ...chain,
    facts,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    sha256: hashJson(chain),
  };
}
