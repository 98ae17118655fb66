import type { Device } from '../../schema/vocabulary.ts';

/** A device other than the host, as ONNX Runtime calls it. */
export type OrtDevice = Exclude<Device, 'cpu'>;

export interface ProviderFacts {
  /** As GetAvailableProviders lists it and as a node's placement names it. */
  readonly provider: string;
  /** Name of its memory in an OrtMemoryInfo. */
  readonly memory: string;
  /** How it is appended: CUDA has a function of its own, the others share the generic one under this name. */
  readonly append: 'cuda' | { readonly generic: string };
  /** Provider options that every session here sets, the user's own over them. */
  readonly options: Readonly<Record<string, string>>;
}

export const PROVIDERS: Readonly<Record<OrtDevice, ProviderFacts>> = {
  cuda: {
    provider: 'CUDAExecutionProvider',
    memory: 'Cuda',
    append: 'cuda',
    options: {
      device_id: '0',
      // The provider's default rounds fp32 operands to 10 bits; PyTorch's default does not, and the name says fp32.
      use_tf32: '0',
      // An arena that doubles its blocks would hold up to twice what the model needs.
      arena_extend_strategy: 'kSameAsRequested',
    },
  },
  webgpu: {
    provider: 'WebGpuExecutionProvider',
    memory: 'WebGPU_Buf',
    append: { generic: 'WebGPU' },
    // With its default, NHWC, ONNX Runtime 1.30 tells of no node that it placed there; only convolutions have a layout.
    options: { preferredLayout: 'NCHW' },
  },
};

export const CPU_PROVIDER = 'CPUExecutionProvider';
