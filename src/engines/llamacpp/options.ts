import { z } from 'zod';
import { EngineError } from '../../errors.ts';
import type { Precision } from '../../schema/vocabulary.ts';

/** Number of each type in enum ggml_type. */
export const KV_TYPES = { f32: 0, f16: 1, q8_0: 8, bf16: 30 } as const;
export type KvType = keyof typeof KV_TYPES;
/** q8_0 stores 32 elements and a half-precision scale in a block. */
export const KV_BYTES_PER_ELEMENT: Readonly<Record<KvType, number>> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  q8_0: 34 / 32,
};

export const optionsSchema = z
  .strictObject({
    /**
     * `native`: what `ortbench setup llamacpp --native` built for this machine; `prebuilt`: the npm package; `auto`: the
     * native build where there is one.
     */
    library: z.enum(['auto', 'native', 'prebuilt']).default('auto'),
    /** Folder with libllama and libggml of llama.cpp 0.5 in place of either. */
    libraryDir: z.string().min(1).optional(),
    /**
     * Folder with llama-batched-bench of any version: driven instead of a library. It keeps ids and logits to itself, so
     * parity is unchecked and speedups need --no-parity.
     */
    toolsDir: z.string().min(1).optional(),
    /**
     * `auto`: off with an f32 cache, which llama.cpp's graph would otherwise cast to f16 on every call; llama.cpp's own
     * choice with any other.
     */
    flashAttention: z.enum(['auto', 'on', 'off']).default('auto'),
    /** `auto`: f32 for fp32, so that the cache is as exact as the weights; otherwise f16, llama.cpp's own default. */
    kvCacheType: z.enum(['auto', 'f32', 'f16', 'bf16', 'q8_0']).default('auto'),
    /** One shared cache for all sequences instead of one each. */
    kvUnified: z.boolean().default(false),
    /** Most tokens in one llama_decode call; longer prompts are fed in several. */
    nBatch: z.int().min(1).max(1_048_576).default(2048),
    /** Most tokens in one compute graph. */
    nUbatch: z.int().min(1).max(1_048_576).default(512),
    /** How long idle worker threads spin before they sleep: 0 never, 100 longest. */
    poll: z.int().min(0).max(100).default(50),
    useMmap: z.boolean().default(true),
  })
  .refine((options) => options.library === 'auto' || (options.libraryDir ?? options.toolsDir) === undefined, {
    path: ['library'],
    message: 'chooses among the builds that ortbench knows, libraryDir and toolsDir name another: choose one',
  })
  .refine((options) => options.toolsDir === undefined || options.libraryDir === undefined, {
    path: ['toolsDir'],
    message: 'names a program where libraryDir names a library: choose one',
  })
  .refine((options) => options.nUbatch <= options.nBatch, {
    path: ['nUbatch'],
    message: 'must not exceed nBatch',
  });
export type LlamaCppOptions = z.output<typeof optionsSchema>;

/** @throws EngineError naming each option that is wrong. */
export function parseOptions(options: Record<string, unknown>): LlamaCppOptions {
  const parsed = optionsSchema.safeParse(options);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(
    ({ path: at, message }) => `${at.join('.') || 'options'}: ${message}`,
  );
  throw new EngineError('failed', `llamacpp options: ${issues.join('; ')}`);
}

export function kvTypeFor(precision: Precision, option: LlamaCppOptions['kvCacheType']): KvType {
  if (option !== 'auto') return option;
  return precision === 'fp32' ? 'f32' : 'f16';
}

export function flashAttentionFor(
  kvType: KvType,
  option: LlamaCppOptions['flashAttention'],
): LlamaCppOptions['flashAttention'] {
  return option === 'auto' && kvType === 'f32' ? 'off' : option;
}
