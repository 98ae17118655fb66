import { describe, expect, it } from 'vitest';
import { FAMILIES } from '../../src/models/families/index.ts';
import { modelShape } from '../../src/models/shape.ts';

/** Sizes as published; parameters as transformers counts them. */
const PUBLISHED = [
  {
    name: 'Llama 3.2 1B (tied, grouped queries)',
    config: {
      model_type: 'llama',
      vocab_size: 128256,
      hidden_size: 2048,
      intermediate_size: 8192,
      num_hidden_layers: 16,
      num_attention_heads: 32,
      num_key_value_heads: 8,
      head_dim: 64,
      max_position_embeddings: 131072,
      tie_word_embeddings: true,
    },
    parameters: 1_235_814_400,
  },
  {
    name: 'Llama 2 7B',
    config: {
      model_type: 'llama',
      vocab_size: 32000,
      hidden_size: 4096,
      intermediate_size: 11008,
      num_hidden_layers: 32,
      num_attention_heads: 32,
      max_position_embeddings: 4096,
    },
    parameters: 6_738_415_616,
  },
  {
    name: 'Phi-2',
    config: {
      model_type: 'phi',
      vocab_size: 51200,
      hidden_size: 2560,
      intermediate_size: 10240,
      num_hidden_layers: 32,
      num_attention_heads: 32,
      max_position_embeddings: 2048,
      partial_rotary_factor: 0.4,
    },
    parameters: 2_779_683_840,
  },
  {
    name: 'Mistral 7B v0.1',
    config: {
      model_type: 'mistral',
      vocab_size: 32000,
      hidden_size: 4096,
      intermediate_size: 14336,
      num_hidden_layers: 32,
      num_attention_heads: 32,
      num_key_value_heads: 8,
      max_position_embeddings: 32768,
    },
    parameters: 7_241_732_096,
  },
  {
    name: 'Gemma 2B',
    config: {
      model_type: 'gemma',
      vocab_size: 256000,
      hidden_size: 2048,
      intermediate_size: 16384,
      num_hidden_layers: 18,
      num_attention_heads: 8,
      num_key_value_heads: 1,
      max_position_embeddings: 8192,
    },
    parameters: 2_506_172_416,
  },
  {
    name: 'Gemma 7B',
    config: {
      model_type: 'gemma',
      vocab_size: 256000,
      hidden_size: 3072,
      intermediate_size: 24576,
      num_hidden_layers: 28,
      num_attention_heads: 16,
      max_position_embeddings: 8192,
    },
    parameters: 8_537_680_896,
  },
];

describe('modelShape', () => {
  it.each(PUBLISHED)('counts the parameters of $name', ({ config, parameters }) => {
    expect(modelShape(config).parameters).toBe(parameters);
  });

  it('reads the sizes, with the defaults of transformers', () => {
    expect(modelShape(PUBLISHED[1]!.config)).toMatchObject({
      modelType: 'llama',
      kvHeads: 32,
      headSize: 128,
      tiedEmbeddings: false,
      specialTokenIds: [1, 2],
    });
    expect(modelShape(PUBLISHED[0]!.config)).toMatchObject({
      kvHeads: 8,
      headSize: 64,
      tiedEmbeddings: true,
    });
  });

  it("takes Gemma's heads for what they are, and one table for embedding and head", () => {
    const gemma = { headSize: 256, tiedEmbeddings: true, specialTokenIds: [0, 1, 2] };
    expect(modelShape(PUBLISHED[4]!.config)).toMatchObject({ ...gemma, kvHeads: 1 });
    expect(modelShape(PUBLISHED[5]!.config)).toMatchObject({ ...gemma, kvHeads: 16 });
  });

  it.each([
    [{}, 4096],
    [{ sliding_window: 1024 }, 1024],
    [{ sliding_window: null }, null],
  ])('reads the window of a Mistral config with %j as %j', (change, slidingWindow) => {
    expect(modelShape({ ...PUBLISHED[3]!.config, ...change }).slidingWindow).toBe(slidingWindow);
  });

  it('refuses a window that is no number of tokens', () => {
    expect(() => modelShape({ ...PUBLISHED[3]!.config, sliding_window: 0 })).toThrow(/at least 1, found 0/);
  });

  it('keeps the first layers, each of its true size', () => {
    const [whole, cut] = [modelShape(PUBLISHED[2]!.config), modelShape(PUBLISHED[2]!.config, 4)];
    expect(cut.layers).toBe(4);
    expect((whole.parameters - cut.parameters) % 28).toBe(0);
    expect({ ...cut, layers: 0, parameters: 0 }).toEqual({ ...whole, layers: 0, parameters: 0 });
  });

  it.each([
    [{ bos_token_id: 5, eos_token_id: [7, 6], pad_token_id: 7 }, [5, 6, 7]],
    [{ bos_token_id: null, eos_token_id: null }, []],
    [{ bos_token_id: 50256, eos_token_id: -1 }, []],
  ])('takes the special tokens %j as %j', (ids, expected) => {
    expect(modelShape({ ...PUBLISHED[1]!.config, ...ids }).specialTokenIds).toEqual(expected);
  });

  it('knows every family under its own name', () => {
    for (const [name, family] of Object.entries(FAMILIES)) expect(family.modelType).toBe(name);
  });
});
