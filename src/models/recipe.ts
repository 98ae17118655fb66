import { pinnedVersions } from '../python/locks.ts';
import type { ArtefactKind, Device, Precision } from '../schema/vocabulary.ts';
import type { ResolvedModel } from './catalogue.ts';
import { hashJson } from './hashing.ts';
import type { SourceIdentity } from './source-identity.ts';

/** Bump when the Python side makes other bytes from the same request: everything cached is then made anew. */
const PREPARER_VERSION = 2;

export type MadeKind = Exclude<ArtefactKind, 'none'>;

/** Libraries whose version decides what comes out; the others only carry it. */
const DECISIVE_TOOLS: Readonly<Record<MadeKind, readonly string[]>> = {
  checkpoint: ['transformers', 'gguf'],
  onnx: ['onnxruntime-genai', 'onnxruntime'],
  gguf: ['gguf'],
};

/** All that an artefact is made of. Equal recipes make equal artefacts, so its hash names the artefact's folder. */
export interface Recipe {
  readonly preparer: number;
  readonly kind: MadeKind;
  readonly precision: Precision;
  /** Only where the files depend on it. */
  readonly device: Device | null;
  /** Pinned versions, by library. */
  readonly tools: Readonly<Record<string, string>>;
  /** The canonical checkpoint it is derived from, by the hash of its recipe; null for the checkpoint itself. */
  readonly checkpoint: string | null;
  readonly source: SourceIdentity;
  readonly layers: number | null;
  /** Only where the model's file asks for other positions than its config has. */
  readonly contextLength?: number;
}

export function recipeFor(
  model: ResolvedModel,
  source: SourceIdentity,
  kind: MadeKind,
  precision: Precision,
  device: Device,
): Recipe {
  const pinned = pinnedVersions();
  const tools = DECISIVE_TOOLS[kind].map((name) => [name, pinned[name] ?? 'unpinned'] as const);
  return {
    preparer: PREPARER_VERSION,
    kind,
    precision,
    device: kind === 'onnx' ? device : null,
    tools: Object.fromEntries(tools),
    checkpoint:
      kind === 'checkpoint' ? null : hashJson(recipeFor(model, source, 'checkpoint', precision, device)),
    source,
    layers: model.spec.layers ?? null,
    ...(model.spec.contextLength === undefined ? {} : { contextLength: model.spec.contextLength }),
  };
}

/** `<name>-<kind>[-<device>]-<precision>-<16 digits>`: readable, unique, and safe as a file name. */
export function entryName(model: ResolvedModel, recipe: Recipe): string {
  const device = recipe.device === null || recipe.device === 'cpu' ? '' : `-${recipe.device}`;
  return `${model.spec.name}-${recipe.kind}${device}-${recipe.precision}-${hashJson(recipe).slice(0, 16)}`;
}
