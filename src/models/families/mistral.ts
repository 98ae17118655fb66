import { count } from '../config-fields.ts';
import type { ModelFamily } from './family.ts';
import { llama } from './llama.ts';

/** transformers' default; a config that says null has no window. */
const DEFAULT_WINDOW = 4096;

export const mistral: ModelFamily = {
  modelType: 'mistral',
  configKeys: ['head_dim', 'rms_norm_eps', 'sliding_window'],
  shape: (config) => {
    // Llama's biases are no fields here: a config that carries them still has none.
    const shape = llama.shape({
      num_key_value_heads: 8,
      ...config,
      attention_bias: false,
      mlp_bias: false,
    });
    const slidingWindow =
      config.sliding_window === null ? null : count(config, 'sliding_window', DEFAULT_WINDOW);
    return { ...shape, modelType: 'mistral', slidingWindow };
  },
};
