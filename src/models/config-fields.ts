/** A mistake in one field of a transformers config; whoever knows the file makes it a UserError. */
export class ConfigFieldError extends Error {
  readonly key: string;
  constructor(key: string, message: string) {
    super(message);
    this.name = 'ConfigFieldError';
    this.key = key;
  }
}

/** The content of a config.json, or of `source.config` in a model file. */
export type TransformersConfig = Readonly<Record<string, unknown>>;

/** A whole number of at least 1; `fallback` is what transformers assumes when the field is absent. */
export function count(config: TransformersConfig, key: string, fallback?: number): number {
  const value = config[key] ?? fallback;
  if (value === undefined) throw new ConfigFieldError(key, 'is missing');
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1)
    throw new ConfigFieldError(key, `expected a whole number of at least 1, found ${JSON.stringify(value)}`);
  return value;
}

export function flag(config: TransformersConfig, key: string, fallback: boolean): boolean {
  const value = config[key] ?? fallback;
  if (typeof value !== 'boolean')
    throw new ConfigFieldError(key, `expected true or false, found ${JSON.stringify(value)}`);
  return value;
}

/** Ids that a prompt must not hold; a field that is absent has transformers' default, `null` means none. */
export function specialTokens(
  config: TransformersConfig,
  defaults: Readonly<Record<string, number>>,
): readonly number[] {
  const ids = ['bos_token_id', 'eos_token_id', 'pad_token_id'].flatMap((key) => {
    const value = key in config ? config[key] : defaults[key];
    const list: unknown[] = Array.isArray(value) ? value : [value ?? []].flat();
    for (const id of list)
      if (!Number.isInteger(id))
        throw new ConfigFieldError(key, `expected token ids, found ${JSON.stringify(value)}`);
    return list as number[];
  });
  return [...new Set(ids)].sort((a, b) => a - b);
}
