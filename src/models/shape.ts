import { didYouMean } from '../config/suggest.ts';
import type { ModelShape } from '../schema/model.ts';
import { ConfigFieldError, type TransformersConfig } from './config-fields.ts';
import { COMMON_KEYS, type ModelFamily } from './families/family.ts';
import { FAMILIES } from './families/index.ts';

/** The shape of a model from its transformers config; `layers` keeps the first ones only. Throws ConfigFieldError. */
export function modelShape(config: TransformersConfig, layers?: number): ModelShape {
  const available = familyOf(config).shape(config).layers;
  if (layers !== undefined && layers > available)
    throw new ConfigFieldError(
      'num_hidden_layers',
      `layers: ${layers} is more than the ${available} of the model`,
    );
  return familyOf(config).shape(layers === undefined ? config : { ...config, num_hidden_layers: layers });
}

/** For a config that somebody typed: transformers would ignore a mistyped field and take its default. */
export function rejectUnknownFields(config: TransformersConfig): void {
  const known = [...COMMON_KEYS, ...familyOf(config).configKeys];
  for (const key of Object.keys(config))
    if (!known.includes(key))
      throw new ConfigFieldError(key, `no field of a ${config.model_type} config${didYouMean(key, known)}`);
}

function familyOf(config: TransformersConfig): ModelFamily {
  const type = config.model_type;
  const family = typeof type === 'string' && Object.hasOwn(FAMILIES, type) ? FAMILIES[type] : undefined;
  if (family !== undefined) return family;
  const known = Object.keys(FAMILIES);
  throw new ConfigFieldError(
    'model_type',
    `expected one of ${known.join(', ')}, found ${JSON.stringify(type)}${didYouMean(String(type), known)}`,
  );
}
