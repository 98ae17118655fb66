import { basename } from 'node:path';
import { z } from 'zod';
import type { Device } from '../../schema/vocabulary.ts';
import { tokensPerSecond as rate } from '../../stats/rates.ts';
import { type Context, checkRate, type Figure, type Format, Problem } from '../figure.ts';

const text = z.string().max(1000);
const measured = z.looseObject({
  latency: z.looseObject({
    unit: z.literal('s'),
    mean: z.number().positive(),
    values: z.array(z.number().positive()).min(1).max(100_000),
  }),
  throughput: z.looseObject({ unit: z.enum(['samples/s', 'tokens/s']), value: z.number().positive() }),
});
const report = z.looseObject({
  prefill: measured,
  decode: measured,
  per_token: z.unknown().optional(),
});
const config = z.looseObject({
  backend: z.looseObject({
    name: text,
    version: text.nullish(),
    model: text,
    device: text.nullish(),
    torch_dtype: text.nullish(),
    dtype: text.nullish(),
    quantization_scheme: text.nullish(),
    intra_op_num_threads: z.int().min(1).max(4096).nullish(),
    torch_compile: z.boolean().nullish(),
    attn_implementation: text.nullish(),
    cache_implementation: text.nullish(),
  }),
  scenario: z.looseObject({
    input_shapes: z.looseObject({
      batch_size: z.int().min(1).max(1e6),
      sequence_length: z.int().min(1).max(1e9),
    }),
    generate_kwargs: z.looseObject({ max_new_tokens: z.int().min(2).max(1e9) }),
  }),
  environment: z.looseObject({
    cpu: text.nullish(),
    gpu: z.union([text, z.array(text)]).nullish(),
    optimum_benchmark_version: text.nullish(),
  }),
});
/** benchmark.json holds both; benchmark_report.json has benchmark_config.json beside it. */
const schema = z.union([z.looseObject({ config, report }), report]);

const CONFIG_FILE = 'benchmark_config.json';

/** optimum-benchmark's text generation, from benchmark.json or from its two parts. */
export const optimumBenchmark: Format = {
  title: 'optimum-benchmark',
  schema,
  recognises: (entry) => {
    const { report: inner = entry } = (entry ?? {}) as { report?: unknown };
    return (
      typeof inner === 'object' &&
      inner !== null &&
      ['prefill', 'decode', 'load_model'].filter((target) => Object.hasOwn(inner, target)).length >= 2
    );
  },
  figures: (entry: z.infer<typeof schema>, context: Context): Figure[] => {
    const whole = 'config' in entry ? (entry as { config: Config; report: Report }) : null;
    const said = whole?.config ?? readConfig(context.sibling(CONFIG_FILE));
    const { prefill, decode, per_token } = whole?.report ?? (entry as Report);
    const { backend, scenario, environment } = said;
    const { batch_size: batch, sequence_length: length } = scenario.input_shapes;
    const generated = scenario.generate_kwargs.max_new_tokens;
    const perSequence = prefill.throughput.unit === 'samples/s' ? length : 1;
    const promptRate = prefill.throughput.value * perSequence;
    checkRate('prefill.throughput', promptRate, rate(batch * length, prefill.latency.mean * 1e9));
    const steps = batch * (generated - 1);
    checkRate('decode.throughput', decode.throughput.value, rate(steps, decode.latency.mean * 1e9));
    const common = {
      tool: `optimum-benchmark ${backend.name}`,
      toolVersion: versionOf(said),
      model: basename(backend.model.replaceAll('\\', '/')),
      weights: backend.quantization_scheme ?? backend.torch_dtype ?? backend.dtype ?? null,
      parameters: null,
      device: DEVICES[backend.device ?? ''] ?? null,
      batchSize: batch,
      promptLength: length,
      threads: backend.intra_op_num_threads ?? null,
      cpu: environment.cpu ?? null,
      gpu: [environment.gpu ?? []].flat().join('; ') || null,
      settings: settingsOf(backend),
    };
    return [
      {
        ...common,
        definition: per_token ? 'optimum-prefill' : 'optimum-prefill-generate',
        test: 'prefill',
        tokensPerSecond: promptRate,
        tokens: batch * length,
        ns: prefill.latency.values.map((seconds) => seconds * 1e9),
        generate: 0,
      },
      {
        ...common,
        definition: 'optimum-decode',
        test: 'decode',
        tokensPerSecond: decode.throughput.value,
        tokens: steps,
        ns: decode.latency.values.map((seconds) => seconds * 1e9),
        generate: generated,
      },
    ];
  },
};

type Config = z.infer<typeof config>;
type Report = z.infer<typeof report>;

const DEVICES: Readonly<Record<string, Device>> = { cpu: 'cpu', cuda: 'cuda' };

function readConfig(found: unknown): Config {
  if (found === undefined) {
    throw new Problem(
      `the report alone does not tell batch size and prompt length: ${CONFIG_FILE} must lie beside it, or give benchmark.json`,
    );
  }
  const parsed = config.safeParse(found);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Problem(`${CONFIG_FILE} beside it: ${issue?.path.join('.')}: ${issue?.message}`);
}

function versionOf({ backend, environment }: Config): string | null {
  const { optimum_benchmark_version: own } = environment;
  const parts = [
    own ? `optimum-benchmark ${own}` : null,
    backend.version ? `${backend.name} ${backend.version}` : null,
  ];
  return parts.filter((part) => part !== null).join(', ') || null;
}

function settingsOf({ torch_compile, attn_implementation, cache_implementation }: Config['backend']) {
  const all = { torch_compile, attn_implementation, cache_implementation };
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string | boolean] => entry[1] != null),
  );
}
