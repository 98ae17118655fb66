import { z } from 'zod';
import { tokensPerSecond as rate } from '../../stats/rates.ts';
import { checkRate, type Figure, type Format } from '../figure.ts';

const count = z.int().min(0).max(1e9);

const schema = z.looseObject({
  n_batch: count,
  n_ubatch: count,
  flash_attn: z.union([z.boolean(), z.int()]),
  is_pp_shared: z.union([z.boolean(), z.int()]),
  n_gpu_layers: z.int(),
  n_threads: z.int().min(1).max(4096),
  n_threads_batch: z.int().min(1).max(4096),
  pp: z.int().min(1).max(1e9),
  tg: count,
  pl: z.int().min(1).max(1e6),
  t_pp: z.number().positive(),
  speed_pp: z.number().positive(),
  t_tg: z.number().min(0),
  speed_tg: z.number().min(0).nullable(),
});
type Row = z.infer<typeof schema>;

/**
 * llama-batched-bench --output-format jsonl: a prompt and a generation a row, each timed once, in seconds with six digits.
 * It tells neither the model nor the backend.
 */
export const llamaBatchedBench: Format = {
  title: 'llama-batched-bench',
  schema,
  recognises: (entry) =>
    typeof entry === 'object' &&
    entry !== null &&
    ['pp', 'tg', 'pl', 't_pp', 't_tg'].every((key) => Object.hasOwn(entry, key)),
  figures: (row: Row): Figure[] => {
    const { pp, tg, pl, t_pp, t_tg } = row;
    const shared = Boolean(row.is_pp_shared);
    const common = {
      tool: 'llama-batched-bench',
      toolVersion: null,
      model: null,
      weights: null,
      parameters: null,
      device: row.n_gpu_layers === 0 ? ('cpu' as const) : null,
      batchSize: pl,
      promptLength: pp,
      cpu: null,
      gpu: null,
      settings: {
        n_batch: row.n_batch,
        n_ubatch: row.n_ubatch,
        flash_attn: row.flash_attn,
        n_gpu_layers: row.n_gpu_layers,
      },
    };
    const promptTokens = shared ? pp : pp * pl;
    checkRate('speed_pp', row.speed_pp, rate(promptTokens, t_pp * 1e9));
    const prompt: Figure = {
      ...common,
      definition: shared ? 'llama-batched-bench-shared-pp' : 'llama-batched-bench-pp',
      test: shared ? 'shared pp' : 'pp',
      tokensPerSecond: row.speed_pp,
      tokens: promptTokens,
      ns: [t_pp * 1e9],
      threads: row.n_threads_batch,
      generate: 0,
    };
    if (tg === 0 || t_tg === 0 || !row.speed_tg) return [prompt];
    checkRate('speed_tg', row.speed_tg, rate(pl * tg, t_tg * 1e9));
    return [
      prompt,
      {
        ...common,
        definition: 'llama-batched-bench-tg',
        test: `tg${tg}`,
        tokensPerSecond: row.speed_tg,
        tokens: pl * tg,
        ns: [t_tg * 1e9],
        threads: row.n_threads,
        generate: tg + 1,
      },
    ];
  },
};
