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
export async function resolveModel(reference: string | ModelSpec, baseDir: string): Promise<ResolvedModel> {
  if (typeof reference !== 'string')
    return await resolveSpec(reference, baseDir, (error) => new UserError(fieldMessage(error)));
  const file = await findModelFile(reference, baseDir);
  const { value: spec, source } = parseYamlSource(await readYamlFile(file), file, modelSchema);
  return await resolveSpec(spec, dirname(resolve(file)), (error) => {
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

async function resolveSpec(spec: ModelSpec, baseDir: string, inSpec: ToUserError): Promise<ResolvedModel> {
  const { source } = spec;
  switch (source.kind) {
    case 'architecture': {
      const shape = shapeOf(spec, source.config, inSpec, { typed: true });
      return { spec, shape, origin: `seeded random weights (seed ${source.seed})`, folder: null };
    }
    case 'folder': {
      const folder = resolve(baseDir, source.path);
      const { config, file } = await readConfigFile(folder);
      await requireWeights(folder);
      const shape = shapeOf(spec, config, inFile(file), { typed: false });
      return { spec, shape, origin: `local folder ${basename(folder)}`, folder };
    }
    case 'hub': {
      const origin = `${source.id}@${source.revision.slice(0, 7)}`;
      if (source.config !== undefined)
        return { spec, shape: shapeOf(spec, source.config, inSpec, { typed: true }), origin, folder: null };
      const { config, file } = await cachedHubConfig(source.id, source.revision);
      return { spec, shape: shapeOf(spec, config, inFile(file), { typed: false }), origin, folder: null };
    }
  }
}

function shapeOf(
  spec: ModelSpec,
  config: TransformersConfig,
  toUserError: ToUserError,
  { typed }: { typed: boolean },
): ModelShape {
  try {
    if (typed) rejectUnknownFields(config);
    return modelShape(config, spec.layers);
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
