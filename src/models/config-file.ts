import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { readBounded, UnreadableFile } from '../files/bounded.ts';
import type { TransformersConfig } from './config-fields.ts';

export interface ConfigFile {
  readonly config: TransformersConfig;
  readonly file: string;
}

/** Real ones have a few kilobytes. */
const MAX_CONFIG_BYTES = 2 ** 20;

/** The config.json of a model folder. Throws UserError. */
export async function readConfigFile(folder: string): Promise<ConfigFile> {
  const file = join(folder, 'config.json');
  const text = await readBounded(file, MAX_CONFIG_BYTES).catch((cause: NodeJS.ErrnoException) => {
    if (cause instanceof UnreadableFile) throw new UserError(`${file} ${cause.message}`, { cause });
    if (cause.code !== 'ENOENT' && cause.code !== 'ENOTDIR') throw cause;
    throw new UserError(`${folder} is no model folder: it has no config.json`, {
      hint: 'source.path must name a folder with config.json and model.safetensors, as transformers saves it',
      cause,
    });
  });
  try {
    const config: unknown = JSON.parse(text.toString('utf8'));
    if (typeof config === 'object' && config !== null && !Array.isArray(config))
      return { config: config as TransformersConfig, file };
  } catch (cause) {
    throw new UserError(`${file} is not JSON: ${(cause as Error).message}`, { cause });
  }
  throw new UserError(`${file} is not a JSON object`);
}

/** The config.json of a hub model that lies in the hub's own cache. Throws UserError when it does not. */
export async function cachedHubConfig(id: string, revision: string): Promise<ConfigFile> {
  const hub =
    process.env.HF_HUB_CACHE ??
    join(
      process.env.HF_HOME ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'huggingface'),
      'hub',
    );
  const snapshot = join(hub, `models--${id.replace('/', '--')}`, 'snapshots', revision);
  return await readConfigFile(snapshot).catch((cause: unknown) => {
    if (!(cause instanceof UserError)) throw cause;
    throw new UserError(`the shape of ${id}@${revision.slice(0, 7)} is not known: it is not downloaded`, {
      hint: `run hf download ${id} config.json --revision ${revision}, or copy its fields into source.config`,
      cause,
    });
  });
}

/** Refuses, before anything is planned, a folder without safetensors weights. Pickles can run code when loaded. */
export async function requireWeights(folder: string): Promise<void> {
  const names = await readdir(folder);
  if (names.some((name) => name.endsWith('.safetensors'))) return;
  const pickle = names.find((name) => /\.(bin|pt|pth)$/.test(name));
  throw new UserError(`${folder} holds no safetensors weights`, {
    hint:
      pickle === undefined
        ? 'expected model.safetensors, or its numbered parts, beside config.json'
        : `${pickle} is a pickle, which can run code when loaded: convert it to safetensors first`,
  });
}
