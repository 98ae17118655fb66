import { hasCuda } from '../../python/inspect.ts';
import type { Device } from '../../schema/vocabulary.ts';
import type { Availability, EngineMeta } from '../engine.ts';
import { pythonAvailability } from '../python/availability.ts';

/** int4 is exact only through the packed layout of one kernel, which the runner fills from the canonical weights. */
const NO_INT4 =
  'the canonical int4 weights are packed for PyTorch’s CPU kernel; its CUDA kernels take other layouts';

export const precisions: EngineMeta['precisions'] = {
  cpu: { fp32: true, fp16: true, bf16: true, int4: true },
  cuda: { fp32: true, fp16: true, bf16: true, int4: NO_INT4 },
};

export async function probePytorch(device: Device): Promise<Availability & { headers?: boolean }> {
  if (device === 'webgpu') {
    return {
      available: false,
      reason: 'PyTorch has no webgpu path',
      mend: 'set device: cpu or device: cuda',
    };
  }
  const found = await pythonAvailability(['torch', 'transformers']);
  if (!found.available) return found;
  if (device === 'cuda' && !(await hasCuda(found.interpreter))) {
    return {
      available: false,
      reason: `PyTorch ${found.versions.torch} finds no CUDA device`,
      mend: 'name an environment with a CUDA build of PyTorch in ORTBENCH_PYTHON, or set device: cpu',
    };
  }
  const { versions, notes } = found;
  return { available: true, versions, notes, headers: found.inspection.headers };
}
