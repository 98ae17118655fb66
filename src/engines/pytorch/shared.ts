import { torchCuda } from '../../python/inspect.ts';
import type { Device } from '../../schema/vocabulary.ts';
import { describeDevice, firstDevice, type Lack, unavailable } from '../device-check.ts';
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
  if (device === 'cuda') return probeCuda(found);
  if (!found.available) return found;
  const { versions, notes } = found;
  return { available: true, versions, notes, headers: found.inspection.headers };
}

/** All that is missing at once: a driver, the environment, a build of PyTorch for CUDA. */
async function probeCuda(found: Awaited<ReturnType<typeof pythonAvailability>>): Promise<Availability> {
  const hardware = await firstDevice('cuda');
  const lacks: Lack[] = 'lack' in hardware ? [hardware.lack] : [];
  if (!found.available) lacks.push(found);
  else {
    const { build, available } = await torchCuda(found.interpreter);
    const which = `PyTorch ${found.versions.torch}`;
    const mend = 'name an environment with a CUDA build of PyTorch in ORTBENCH_PYTHON, or set device: cpu';
    if (build === null) lacks.push({ reason: `${which} was built without CUDA`, mend });
    else if (!available && lacks.length === 0)
      lacks.push({ reason: `${which} (CUDA ${build}) finds no CUDA device`, mend });
  }
  if (!found.available || 'lack' in hardware || lacks.length > 0) return unavailable(lacks);
  const notes = [...found.notes, describeDevice(hardware.device)];
  return { available: true, versions: found.versions, notes };
}
