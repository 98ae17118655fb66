import type { EngineMeta } from '../engine.ts';

/** What ONNX Runtime's CPU provider honestly computes in, however it is driven. */
export const ORT_PRECISIONS: EngineMeta['precisions'] = {
  cpu: {
    fp32: true,
    fp16: 'the CPU provider has no float16 kernels on x86: it would silently compute in fp32',
    bf16: 'the CPU provider has no bfloat16 kernels',
    int4: true,
  },
};
