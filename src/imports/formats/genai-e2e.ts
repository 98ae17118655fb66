import { z } from 'zod';
import type { Device } from '../../schema/vocabulary.ts';
import { tokensPerSecond as rate } from '../../stats/rates.ts';
import { checkRate, type Figure, type Format, Problem } from '../figure.ts';

const count = z.int().min(1).max(1e9);
const positive = z.number().positive();
const text = z.string().max(1000);

/** BenchmarkRecord leaves out whatever is zero or empty, so little is certain to be there. */
const schema = z.looseObject({
  config: z.looseObject({
    batch_size: count,
    precision: text.optional(),
    prompt_length: count,
    tokens_generated: count,
    max_length: z.int(),
    aggregation: z.enum(['mean', 'median']).default('mean'),
    model_info: z.looseObject({ full_name: text.optional() }).optional(),
  }),
  metadata: z.looseObject({
    device: text.optional(),
    package_name: text.optional(),
    package_version: text.optional(),
  }),
  metrics: z.looseObject({
    prompt_processing_throughput_tps: positive,
    prompt_processing_latency_ms: positive,
    token_generation_throughput_tps: positive,
    token_generation_latency_ms: positive,
  }),
});
type Row = z.infer<typeof schema>;

/**
 * onnxruntime-genai's benchmark_e2e.py. Its prompt throughput is batch size × recorded prompt length ÷ time. With random
 * tokens the recorded length is already that of the whole batch, which counts the batch twice; max_length tells the two
 * apart, for it is made of the length as asked for, unless it was set apart (-m).
 */
export const genaiE2e: Format = {
  title: "onnxruntime-genai's benchmark_e2e",
  schema,
  recognises: (entry) => {
    const metrics = (entry as { metrics?: unknown } | null)?.metrics;
    return typeof metrics === 'object' && metrics !== null && 'prompt_processing_throughput_tps' in metrics;
  },
  figures: ({ config, metadata, metrics }: Row): Figure[] => {
    const { batch_size: batch, prompt_length: recorded, tokens_generated: generated, aggregation } = config;
    const promptNs = metrics.prompt_processing_latency_ms * 1e6;
    const stepNs = metrics.token_generation_latency_ms * 1e6;
    checkRate(
      'prompt_processing_throughput_tps',
      metrics.prompt_processing_throughput_tps,
      rate(batch * recorded, promptNs),
    );
    checkRate(
      'token_generation_throughput_tps',
      metrics.token_generation_throughput_tps,
      rate(batch, stepNs),
    );
    const { promptLength, twice } = lengthOf(config);
    const common = {
      tool: 'onnxruntime-genai benchmark_e2e',
      toolVersion: [metadata.package_name, metadata.package_version].filter(Boolean).join(' ') || null,
      model: config.model_info?.full_name ?? null,
      weights: config.precision ?? null,
      parameters: null,
      device: DEVICES[metadata.device ?? ''] ?? null,
      batchSize: batch,
      promptLength,
      threads: null,
      cpu: null,
      gpu: null,
      settings: { aggregation, recorded_prompt_length: recorded, max_length: config.max_length },
    };
    return [
      {
        ...common,
        definition: twice ? 'genai-e2e-prompt-twice' : 'genai-e2e-prompt',
        test: twice ? 'prompt, batch twice' : 'prompt',
        tokensPerSecond: metrics.prompt_processing_throughput_tps,
        tokens: batch * recorded,
        ns: [promptNs],
        generate: 0,
      },
      {
        ...common,
        definition: aggregation === 'median' ? 'genai-e2e-generation-median' : 'genai-e2e-generation',
        test: 'generation',
        tokensPerSecond: metrics.token_generation_throughput_tps,
        tokens: batch,
        ns: [stepNs],
        generate: generated,
      },
    ];
  },
};

/** "follow_config" and others say nothing, or name a provider that no device of ours is. */
const DEVICES: Readonly<Record<string, Device>> = { cpu: 'cpu', cuda: 'cuda', webgpu: 'webgpu' };

function lengthOf({
  batch_size: batch,
  prompt_length: recorded,
  tokens_generated,
  max_length,
}: Row['config']) {
  if (batch === 1) return { promptLength: recorded, twice: false };
  if (recorded === batch * (max_length - tokens_generated))
    return { promptLength: recorded / batch, twice: true };
  throw new Problem(
    `batch ${batch}: nothing tells whether prompt_length ${recorded} is of one sequence or of all (max_length ${max_length}); run the tool with --use_random_tokens and without -m`,
  );
}
