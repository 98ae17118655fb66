import { flag } from '../config-fields.ts';
import { decoderSizes, linear, type ModelFamily } from './family.ts';

export const llama: ModelFamily = {
  modelType: 'llama',
  configKeys: ['head_dim', 'rms_norm_eps', 'attention_bias', 'mlp_bias', 'pretraining_tp'],
  shape: (config) => {
    const sizes = decoderSizes(config, { bos_token_id: 1, eos_token_id: 2 });
    const { hiddenSize: hidden, intermediateSize: inner, vocabSize, headSize } = sizes;
    const tiedEmbeddings = flag(config, 'tie_word_embeddings', false);
    const attentionBias = flag(config, 'attention_bias', false);
    const mlpBias = flag(config, 'mlp_bias', false);
    const layer =
      2 * linear(hidden, sizes.heads * headSize, false) +
      (attentionBias ? sizes.heads * headSize + hidden : 0) +
      2 * linear(hidden, sizes.kvHeads * headSize, attentionBias) +
      2 * linear(hidden, inner, mlpBias) +
      linear(inner, hidden, mlpBias) +
      2 * hidden;
    const parameters = vocabSize * hidden * (tiedEmbeddings ? 1 : 2) + sizes.layers * layer + hidden;
    return { modelType: 'llama', activation: 'silu', ...sizes, tiedEmbeddings, parameters };
  },
};
