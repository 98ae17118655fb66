import { z } from 'zod';
import type { ModelShape } from '../schema/model.ts';
import type { WeightChain } from '../schema/record.ts';
import type { ArtefactKind, Device, Precision } from '../schema/vocabulary.ts';
import { type ArtefactFile, readArtefactFile } from './artefact-file.ts';
import {
  ensureEntry,
  entryDir,
  entryState,
  type ListedFile,
  type MakeOptions,
  requireRoom,
} from './cache.ts';
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
  readonly chain?: WeightChain;
  /** False when it was there already. */
  readonly made: boolean;
}

interface StoredBytes {
  /** Of a parameter of a matrix that is multiplied with. */
  readonly matrix: number;
  /** Of a parameter of the embedding table. */
  readonly embedding: number;
}
const wide = (bytes: number): StoredBytes => ({ matrix: bytes, embedding: bytes });

/** int4 checkpoints are float32 on the int4 grid; other int4 files keep a float32 embedding (Gemma's GGUF excepted). */
const STORED_BYTES: Readonly<Record<MadeKind, Readonly<Record<Precision, StoredBytes>>>> = {
  checkpoint: { fp32: wide(4), fp16: wide(2), bf16: wide(2), int4: wide(4) },
  onnx: { fp32: wide(4), fp16: wide(2), bf16: wide(2), int4: { matrix: 20 / 32, embedding: 4 } },
  gguf: { fp32: wide(4), fp16: wide(2), bf16: wide(2), int4: { matrix: 18 / 32, embedding: 4 } },
};
/** Graph, headers, tokenizer and alignment. */
const OVERHEAD_SHARE = 0.03;
const OVERHEAD_BYTES = 32 * 2 ** 20;

/** Bytes that an artefact takes on disk, at most. A tied head is written out in ONNX graphs and in every int4 file. */
export function artefactBytes(kind: MadeKind, precision: Precision, shape: ModelShape): number {
  const { matrix, embedding } = STORED_BYTES[kind][precision];
  const table = shape.vocabSize * shape.hiddenSize;
  const headApart = shape.tiedEmbeddings && (kind === 'onnx' || precision === 'int4');
  const weights = (shape.parameters - table) * matrix + table * (embedding + (headApart ? matrix : 0));
  return weights * (1 + OVERHEAD_SHARE) + OVERHEAD_BYTES;
}

const replySchema = z.object({ ok: z.literal(true), facts: z.record(z.string(), z.unknown()) });

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
  const present = options.force ? null : await soundArtefact(model, recipe, options.onProgress);
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

/**
 * An artefact whose files are what was made, and from the checkpoint that is there now: engines of one model and precision
 * share one. A checkpoint that is no longer there is not asked for.
 */
async function soundArtefact(
  model: ResolvedModel,
  recipe: Recipe,
  onProgress: MakeOptions['onProgress'],
): Promise<Artefact | null> {
  const name = entryName(model, recipe);
  const found = await entryState(name, onProgress);
  if (found === null || found.changed.length > 0) return null;
  const { file } = found;
  const base = recipeFor(model, recipe.source, 'checkpoint', recipe.precision, recipe.device ?? 'cpu');
  const checkpoint = await readArtefactFile(entryDir(entryName(model, base)));
  if (checkpoint !== null && checkpoint.sha256 !== file.checkpointSha256) return null;
  return artefactOf(name, file, false);
}

async function findArtefact(model: ResolvedModel, recipe: Recipe): Promise<Artefact | null> {
  const name = entryName(model, recipe);
  const file = await readArtefactFile(entryDir(name));
  return file === null ? null : artefactOf(name, file, false);
}

const artefactOf = (name: string, file: ArtefactFile, made: boolean): Artefact => ({
  dir: entryDir(name),
  sha256: file.sha256,
  bytes: file.bytes,
  chain: chainOf(file),
  made,
});

/** A checkpoint is its own. */
const chainOf = ({ recipe, checkpointSha256, sha256 }: ArtefactFile): WeightChain => ({
  source: hashJson(recipe.source),
  checkpoint: checkpointSha256 ?? sha256,
});

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
      const bytes = artefactBytes(kind, precision, model.shape);
      await requireRoom(bytes, `the ${precision} ${kind} of ${model.spec.name}`);
      const request = checkpoint === null ? sourceRequest(model) : derivedRequest(model, checkpoint, recipe);
      ({ facts } = await callPreparer(kind, { ...request, precision, out }, replySchema, options));
    },
    (files) => description(model, recipe, checkpoint, facts, files),
    options,
    (present) => checkpoint === null || present.checkpointSha256 === checkpoint.sha256,
  );
  return artefactOf(name, file, made);
}

function sourceRequest({ spec, folder }: ResolvedModel): Record<string, unknown> {
  const source = folder === null ? spec.source : { kind: 'folder', path: folder };
  return { source, layers: spec.layers ?? null, contextLength: spec.contextLength ?? null };
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
