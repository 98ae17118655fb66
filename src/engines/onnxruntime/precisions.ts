import type { EngineMeta } from '../engine.ts';

type PerPrecision = NonNullable<EngineMeta['precisions']['cpu']>;

/** What ONNX Runtime's CPU provider honestly computes in, however it is driven. */
const cpu: PerPrecision = {
  fp32: true,
  fp16: 'the CPU provider has no float16 kernels on x86: it would silently compute in fp32',
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
export const ORT_PRECISIONS: EngineMeta['precisions'] = { cpu, cuda, webgpu };
/** onnxruntime-genai's Python packages come without a WebGPU provider. */
export const GENAI_PRECISIONS: EngineMeta['precisions'] = { cpu, cuda };
