import { flag } from '../config-fields.ts';
import { decoderSizes, linear, type ModelFamily } from './family.ts';

export const phi: ModelFamily = {
  modelType: 'phi',
  configKeys: ['layer_norm_eps', 'partial_rotary_factor', 'qk_layernorm', 'resid_pdrop', 'embd_pdrop'],
  shape: (config) => {
    const sizes = decoderSizes(config, { bos_token_id: 1, eos_token_id: 2 });
    const { hiddenSize: hidden, intermediateSize: inner, vocabSize, headSize } = sizes;
    const tiedEmbeddings = flag(config, 'tie_word_embeddings', false);
    const layer =
      linear(hidden, sizes.heads * headSize, true) +
      2 * linear(hidden, sizes.kvHeads * headSize, true) +
      linear(sizes.heads * headSize, hidden, true) +
      linear(hidden, inner, true) +
      linear(inner, hidden, true) +
      2 * hidden;
    const head = (tiedEmbeddings ? 0 : vocabSize * hidden) + vocabSize;
    const parameters = vocabSize * hidden + sizes.layers * layer + 2 * hidden + head;
    return { modelType: 'phi', activation: 'gelu', ...sizes, tiedEmbeddings, parameters };
  },
};
