import { readdirSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { problemsError } from '../config/source.ts';
import { didYouMean } from '../config/suggest.ts';
import { parseYamlSource, readYamlFile } from '../config/yaml.ts';
import { UserError } from '../errors.ts';
import { packageRoot } from '../files/package-root.ts';
import { type ModelShape, type ModelSpec, modelSchema } from '../schema/model.ts';
import { ConfigFieldError, type TransformersConfig } from './config-fields.ts';
import { cachedHubConfig, readConfigFile, requireWeights } from './config-file.ts';
import { modelShape, rejectUnknownFields } from './shape.ts';

const CATALOGUE = join(packageRoot, 'configs', 'models');

export interface ResolvedModel {
  readonly spec: ModelSpec;
  readonly shape: ModelShape;
  /** For footnotes: "seeded random weights (seed 1)", "owner/name@abc1234" or "local folder NAME". */
  readonly origin: string;
  /** Absolute folder of the weights of a local model; null for the other kinds. Never printed in artefacts. */
  readonly folder: string | null;
  /** Where only the first layers are kept. */
  readonly cut?: LayerCut;
}

/** A model of fewer layers than it has, each of its true shape. */
export interface LayerCut {
  /** Layers of the whole model; `shape.layers` are kept. */
  readonly of: number;
  /** Its name without the cut, by which rules, `--only` and published figures know it. */
  readonly uncutName: string;
}

export interface ResolveOptions {
  /** Keep so many layers instead of what the model's file says, under a name that tells; see cutSpec. */
  readonly layers?: number | undefined;
}

/** Names of configs/models/*.yaml, sorted. */
export function modelNames(): string[] {
  return readdirSync(CATALOGUE)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => basename(file, '.yaml'))
    .sort();
}

/**
 * A model by its name in configs/models, by the path of a model file relative to `baseDir`, or as described in place.
 * Reads no weights and downloads nothing. Throws UserError naming file, line and column, or what was meant.
 */
export async function resolveModel(
  reference: string | ModelSpec,
  baseDir: string,
  options: ResolveOptions = {},
): Promise<ResolvedModel> {
  if (typeof reference !== 'string')
    return await resolveSpec(reference, baseDir, options, (error) => new UserError(fieldMessage(error)));
  const file = await findModelFile(reference, baseDir);
  const { value: spec, source } = parseYamlSource(await readYamlFile(file), file, modelSchema);
  return await resolveSpec(spec, dirname(resolve(file)), options, (error) => {
    const path = ['source', 'config', error.key];
    return problemsError(file, [source.problem(path, error.message, 'key')]);
  });
}

async function findModelFile(reference: string, baseDir: string): Promise<string> {
  if (/[\\/]|\.ya?ml$/.test(reference)) return resolve(baseDir, reference);
  const file = join(CATALOGUE, `${reference}.yaml`);
  const names = modelNames();
  if (names.includes(reference)) return file;
  const local = resolve(baseDir, `${reference}.yaml`);
  const nearby = await access(local).then(
    () => `; ${reference}.yaml lies beside: name it with its ending`,
    () => didYouMean(reference, names),
  );
  throw new UserError(`there is no model ${JSON.stringify(reference)}${nearby}`, {
    hint: `known models: ${names.join(', ')}; or give the path of a model file`,
  });
}

type ToUserError = (error: ConfigFieldError) => UserError;

async function resolveSpec(
  spec: ModelSpec,
  baseDir: string,
  { layers }: ResolveOptions,
  inSpec: ToUserError,
): Promise<ResolvedModel> {
  const found = await findConfig(spec, baseDir, inSpec);
  const whole = shapeOf({ ...spec, layers: undefined }, found);
  if (layers !== undefined) return cutModel(spec, found, layers, whole.layers);
  const { origin, folder } = found;
  const model = { spec, shape: shapeOf(spec, found), origin, folder };
  if (spec.layers === undefined || spec.layers === whole.layers) return model;
  return { ...model, cut: { of: whole.layers, uncutName: spec.name } };
}

interface FoundConfig {
  readonly config: TransformersConfig;
  /** Somebody typed it: a field that no config has is a mistake. */
  readonly typed: boolean;
  readonly origin: string;
  readonly folder: string | null;
  readonly toUserError: ToUserError;
}

async function findConfig(spec: ModelSpec, baseDir: string, inSpec: ToUserError): Promise<FoundConfig> {
  const { source } = spec;
  switch (source.kind) {
    case 'architecture': {
      const origin = seededOrigin(source.seed);
      return { config: source.config, typed: true, origin, folder: null, toUserError: inSpec };
    }
    case 'folder': {
      const folder = resolve(baseDir, source.path);
      const { config, file } = await readConfigFile(folder);
      await requireWeights(folder);
      const origin = `local folder ${basename(folder)}`;
      return { config, typed: false, origin, folder, toUserError: inFile(file) };
    }
    case 'hub': {
      const origin = `${source.id}@${source.revision.slice(0, 7)}`;
      if (source.config !== undefined)
        return { config: source.config, typed: true, origin, folder: null, toUserError: inSpec };
      const { config, file } = await cachedHubConfig(source.id, source.revision);
      return { config, typed: false, origin, folder: null, toUserError: inFile(file) };
    }
  }
}

const seededOrigin = (seed: number): string => `seeded random weights (seed ${seed})`;

/**
 * The model with `layers` of its `all` layers, each of its true shape, under the name NAME-<layers>of<all>layers, so that
 * no record, chart or artefact of it can be taken for the whole model's. A hub model gets seeded weights of those shapes:
 * nothing is downloaded for a part of it. Local weights stay what they are.
 */
function cutModel(spec: ModelSpec, found: FoundConfig, layers: number, all: number): ResolvedModel {
  const { source } = spec;
  const seeded = { kind: 'architecture', config: { ...found.config }, seed: CUT_SEED } as const;
  const cut: ModelSpec = {
    ...spec,
    name: `${spec.name}-${layers}of${all}layers`,
    source: source.kind === 'hub' ? (seeded as ModelSpec['source']) : source,
    layers,
  };
  const origin =
    source.kind === 'hub' ? `${seededOrigin(CUT_SEED)} in the shapes of ${found.origin}` : found.origin;
  return {
    spec: cut,
    shape: shapeOf(cut, found),
    origin,
    folder: found.folder,
    cut: { of: all, uncutName: spec.name },
  };
}

/** One seed for all, so that sweeps with different prompts share their model files. */
const CUT_SEED = 1;

function shapeOf(spec: ModelSpec, { config, typed, toUserError }: FoundConfig): ModelShape {
  try {
    if (typed) rejectUnknownFields(config);
    const shape = modelShape(config, spec.layers);
    return { ...shape, maxContextLength: spec.contextLength ?? shape.maxContextLength };
  } catch (error) {
    throw error instanceof ConfigFieldError ? toUserError(error) : error;
  }
}

const fieldMessage = (error: ConfigFieldError): string => `source.config.${error.key}: ${error.message}`;

const inFile =
  (file: string): ToUserError =>
  (error) =>
    new UserError(`${file}: ${error.key}: ${error.message}`, {
      hint: 'is this the config.json of a model that ortbench knows?',
    });
