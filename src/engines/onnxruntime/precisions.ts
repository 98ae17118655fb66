import type { EngineMeta, Insistable } from '../engine.ts';
import type { OrtOptions } from './options.ts';

type PerPrecision = NonNullable<EngineMeta['precisions']['cpu']>;

/** On any processor: of the operators of a decoder it has float16 attention and norms, and no matrix product. */
export const FP16_ON_CPU =
  'the CPU provider multiplies no float16 matrices: it would silently compute in fp32';

/** Of the engine that has the option `fp16OnCpu`. */
const insistable = {
  reason: FP16_ON_CPU,
  insist: { option: 'fp16OnCpu', value: 'upcast' },
  computesIn: 'fp32',
} as const satisfies {
  insist: { option: keyof OrtOptions; value: OrtOptions['fp16OnCpu'] };
} & Insistable;

/** What ONNX Runtime's CPU provider honestly computes in, however it is driven. */
const cpu: PerPrecision = {
  fp32: true,
  fp16: FP16_ON_CPU,
  bf16: 'the CPU provider has no bfloat16 kernels',
  int4: true,
};

/** int4 computes in float16 there. */
const cuda: PerPrecision = {
  fp32: 'the CUDA provider has no float32 GroupQueryAttention, the attention that appends to its KV cache in place',
  fp16: true,
  bf16: true,
  int4: true,
};

/** int4 computes in float16 there. */
const webgpu: PerPrecision = {
  fp32: true,
  fp16: true,
  bf16: 'WebGPU has no bfloat16',
  int4: true,
};

export const ORT_CPU_PRECISIONS: EngineMeta['precisions'] = { cpu };
export const ORT_PRECISIONS: EngineMeta['precisions'] = { cpu: { ...cpu, fp16: insistable }, cuda, webgpu };
/** onnxruntime-genai's Python packages come without a WebGPU provider. */
export const GENAI_PRECISIONS: EngineMeta['precisions'] = { cpu, cuda };
