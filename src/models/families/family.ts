import type { ModelShape } from '../../schema/model.ts';
import { ConfigFieldError, count, specialTokens, type TransformersConfig } from '../config-fields.ts';

/** What planning must know of a family before any Python runs: its fields and its number of parameters. */
export interface ModelFamily {
  readonly modelType: string;
  /** Fields that a model file may set besides COMMON_KEYS; a mistyped one would silently be ignored. */
  readonly configKeys: readonly string[];
  /** Throws ConfigFieldError. */
  readonly shape: (config: TransformersConfig) => ModelShape;
}

export const COMMON_KEYS: readonly string[] = [
  'model_type',
  'vocab_size',
  'hidden_size',
  'intermediate_size',
  'num_hidden_layers',
  'num_attention_heads',
  'num_key_value_heads',
  'max_position_embeddings',
  'hidden_act',
  'tie_word_embeddings',
  'rope_theta',
  'rope_parameters',
  'rope_scaling',
  'attention_dropout',
  'initializer_range',
  'use_cache',
  'bos_token_id',
  'eos_token_id',
  'pad_token_id',
];

/** Ten times as many as any model has: each is built, if only in outline, to learn its tensors. */
const MOST_LAYERS = 10_000;

/** The sizes that every decoder has, under transformers' names. */
export function decoderSizes(
  config: TransformersConfig,
  specialTokenDefaults: Readonly<Record<string, number>>,
) {
  const hiddenSize = count(config, 'hidden_size');
  const heads = count(config, 'num_attention_heads');
  const kvHeads = count(config, 'num_key_value_heads', heads);
  if (heads % kvHeads !== 0)
    throw new ConfigFieldError(
      'num_key_value_heads',
      `must divide num_attention_heads (${heads}), found ${kvHeads}`,
    );
  const headSize = config.head_dim == null ? hiddenSize / heads : count(config, 'head_dim');
  if (!Number.isInteger(headSize))
    throw new ConfigFieldError(
      'num_attention_heads',
      `must divide hidden_size (${hiddenSize}), found ${heads}`,
    );
  const vocabSize = count(config, 'vocab_size');
  const layers = count(config, 'num_hidden_layers');
  if (layers > MOST_LAYERS)
    throw new ConfigFieldError('num_hidden_layers', `expected at most ${MOST_LAYERS}, found ${layers}`);
  return {
    vocabSize,
    hiddenSize,
    layers,
    heads,
    kvHeads,
    headSize,
    intermediateSize: count(config, 'intermediate_size'),
    maxContextLength: count(config, 'max_position_embeddings'),
    specialTokenIds: specialTokens(config, specialTokenDefaults).filter((id) => id >= 0 && id < vocabSize),
  };
}

/** Parameters of a linear layer. */
export function linear(inputs: number, outputs: number, bias: boolean): number {
  return inputs * outputs + (bias ? outputs : 0);
}
