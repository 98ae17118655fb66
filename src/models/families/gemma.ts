import { flag } from '../config-fields.ts';
import { decoderSizes, linear, type ModelFamily } from './family.ts';

export const gemma: ModelFamily = {
  modelType: 'gemma',
  configKeys: [
    'head_dim',
    'rms_norm_eps',
    'attention_bias',
    'hidden_activation',
    'use_bidirectional_attention',
  ],
  shape: (config) => {
    const sizes = decoderSizes(
      { num_key_value_heads: 16, head_dim: 256, ...config },
      { pad_token_id: 0, eos_token_id: 1, bos_token_id: 2 },
    );
    const { hiddenSize: hidden, intermediateSize: inner, vocabSize, headSize } = sizes;
    const tiedEmbeddings = flag(config, 'tie_word_embeddings', true);
    const layer =
      2 * linear(hidden, sizes.heads * headSize, false) +
      2 * linear(hidden, sizes.kvHeads * headSize, false) +
      3 * linear(hidden, inner, false) +
      2 * hidden;
    const parameters = vocabSize * hidden * (tiedEmbeddings ? 1 : 2) + sizes.layers * layer + hidden;
    return { modelType: 'gemma', activation: 'gelu', ...sizes, tiedEmbeddings, parameters };
  },
};
