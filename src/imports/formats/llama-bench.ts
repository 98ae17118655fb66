import { basename } from 'node:path';
import { z } from 'zod';
import { mean } from '../../stats/descriptive.ts';
import { tokensPerSecond as rate } from '../../stats/rates.ts';
import { checkRate, type Figure, type Format, Problem } from '../figure.ts';

const count = z.int().min(0).max(1e9);
const text = z.string().max(1000);

/** Versions add fields: those that decide a figure are named here, the others are left. */
const schema = z.looseObject({
  build_commit: text,
  build_number: z.int(),
  cpu_info: text.optional(),
  gpu_info: text.optional(),
  backends: text.optional(),
  model_filename: text,
  model_type: text,
  model_n_params: z.number().min(0).optional(),
  n_batch: count,
  n_ubatch: count,
  n_threads: z.int().min(1).max(4096),
  type_k: text,
  type_v: text,
  n_gpu_layers: z.int(),
  flash_attn: z.union([z.boolean(), z.int()]),
  n_prompt: count,
  n_gen: count,
  n_depth: count.default(0),
  avg_ts: z.number().positive(),
  samples_ns: z.array(z.number().positive()).min(1).max(100_000),
});
type Row = z.infer<typeof schema>;

/** llama-bench -o json and -o jsonl: one test a row, with the nanoseconds of every repetition. */
export const llamaBench: Format = {
  title: 'llama-bench',
  schema,
  recognises: (entry) => has(entry, 'samples_ns') && has(entry, 'n_gen') && has(entry, 'model_type'),
  figures: (row: Row): Figure[] => {
    const { n_prompt, n_gen, n_depth, samples_ns: ns, avg_ts } = row;
    if (n_prompt + n_gen === 0) throw new Problem('neither n_prompt nor n_gen is set: nothing was measured');
    const tokens = n_prompt + n_gen;
    // avg_ts is the mean of the repetitions' rates, not the rate of their mean time.
    checkRate('avg_ts', avg_ts, mean(ns.map((each) => rate(tokens, each))));
    return [
      {
        ...testOf(n_prompt, n_gen, n_depth),
        tokensPerSecond: avg_ts,
        tokens,
        ns,
        tool: 'llama-bench',
        toolVersion: `${row.build_commit} (${row.build_number})`,
        model: basename(row.model_filename.replaceAll('\\', '/')),
        weights: row.model_type,
        parameters: row.model_n_params ?? null,
        device: deviceOf(row),
        batchSize: 1,
        threads: row.n_threads,
        cpu: row.cpu_info || null,
        gpu: row.n_gpu_layers === 0 ? null : row.gpu_info || null,
        settings: {
          n_depth,
          n_batch: row.n_batch,
          n_ubatch: row.n_ubatch,
          type_k: row.type_k,
          type_v: row.type_v,
          flash_attn: row.flash_attn,
          n_gpu_layers: row.n_gpu_layers,
        },
      },
    ];
  },
};

type Test = Pick<Figure, 'definition' | 'test' | 'promptLength' | 'generate'>;

/** A generation starts behind its depth, as one of ours starts behind its prompt. */
function testOf(prompt: number, generated: number, depth: number): Test {
  const behind = depth > 0 ? ` @ d${depth}` : '';
  if (generated === 0) {
    return { definition: 'llama-bench-pp', test: `pp${behind}`, promptLength: prompt, generate: 0 };
  }
  if (prompt === 0) {
    return {
      definition: 'llama-bench-tg',
      test: `tg${generated}`,
      promptLength: depth,
      generate: generated + 1,
    };
  }
  const test = `pp${prompt}+tg${generated}${behind}`;
  return { definition: 'llama-bench-pg', test, promptLength: prompt, generate: generated + 1 };
}

function deviceOf({ backends = '', n_gpu_layers }: Row): Figure['device'] {
  const others = backends.split(',').filter((name) => name !== '' && name !== 'CPU' && name !== 'BLAS');
  if (backends !== '' && (others.length === 0 || n_gpu_layers === 0)) return 'cpu';
  return others.length === 1 && others[0] === 'CUDA' ? 'cuda' : null;
}

const has = (entry: unknown, key: string): boolean =>
  typeof entry === 'object' && entry !== null && Object.hasOwn(entry, key);
