import { z } from 'zod';

/**
 * The architectures that all three engines know. The config of the architecture itself is transformers' own
 * (hidden_size, num_hidden_layers, …), so a model file reads like the config.json it stands for.
 */
export const modelSchema = z.strictObject({
  /** Name used in sweeps, records and charts. */
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/, 'letters, digits, dot, dash and underscore only'),
  title: z.string().optional(),
  source: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('hub'),
      id: z.string().regex(/^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/, 'owner/name'),
      /** A full commit hash: a branch or tag can move, and the numbers with it. */
      revision: z.string().regex(/^[0-9a-f]{40}$/, 'a full 40-digit commit hash'),
      /** Fields of its config.json, so that a sweep can be planned before the download; checked against it after. */
      config: z.record(z.string(), z.unknown()).optional(),
    }),
    z.strictObject({ kind: z.literal('folder'), path: z.string() }),
    z.strictObject({
      kind: z.literal('architecture'),
      /** transformers config: `model_type` and its fields; weights are drawn with `seed`. */
      config: z.record(z.string(), z.unknown()).refine((c) => typeof c.model_type === 'string', {
        message: 'needs model_type, for example llama or phi',
      }),
      seed: z.int().min(0),
    }),
  ]),
  /** Keep only the first N layers, each of its true shape. */
  layers: z.int().min(1).optional(),
  /**
   * Positions to allow where a sweep goes beyond those that the model was trained on: rotary positions simply go on.
   * What it then says means nothing; how fast it says it does.
   */
  contextLength: z.int().min(1).optional(),
  notes: z.string().optional(),
});
export type ModelSpec = z.infer<typeof modelSchema>;

export type Activation = 'silu' | 'gelu';

/** What planning needs to know of an architecture; read from config.json without loading any weight. */
export interface ModelShape {
  readonly modelType: string;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly intermediateSize: number;
  readonly maxContextLength: number;
  readonly tiedEmbeddings: boolean;
  /** Of the MLP. GELU stands for all of its approximations. */
  readonly activation: Activation;
  /** Tokens that attention sees, the current one among them; absent or null where it sees all. */
  readonly slidingWindow?: number | null;
  /** Beginning, end of sequence, padding: never drawn into a prompt. */
  readonly specialTokenIds?: readonly number[];
  /** All parameters, embeddings and head included. */
  readonly parameters: number;
}
