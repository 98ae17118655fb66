import type { Device } from '../../schema/vocabulary.ts';

export type GpuDevice = Exclude<Device, 'cpu'>;

/** How llama.cpp reaches each device: WebGPU's counterpart is Vulkan, on which it stands on Linux. */
export interface BackendFacts {
  readonly title: string;
  /** As ggml_backend_reg_name says it. */
  readonly registry: string;
  /** Of the npm packages. */
  readonly suffix: string;
  /** Name of the backend's shared library without prefix and ending. */
  readonly library: string;
}

export const BACKENDS: Readonly<Record<GpuDevice, BackendFacts>> = {
  cuda: { title: 'CUDA', registry: 'CUDA', suffix: '-cuda', library: 'ggml-cuda' },
  webgpu: { title: 'Vulkan', registry: 'Vulkan', suffix: '-vulkan', library: 'ggml-vulkan' },
};
