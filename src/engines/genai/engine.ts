import { z } from 'zod';
import { genaiHasCuda } from '../../python/inspect.ts';
import { describeDevice, firstDevice, type Lack, unavailable } from '../device-check.ts';
import type { Engine } from '../engine.ts';
import { GENAI_PRECISIONS } from '../onnxruntime/precisions.ts';
import { pythonAvailability } from '../python/availability.ts';
import { pythonRunnerCommand } from '../python/command.ts';
import { installPython } from '../python/install.ts';

/** onnxruntime-genai as a Python runner: the yardstick of the in-process ONNX Runtime engine. */
export const genai: Engine = {
  meta: {
    id: 'genai',
    title: 'ONNX Runtime GenAI',
    artefact: 'onnx',
    precisions: GENAI_PRECISIONS,
    ragged: false,
    isolation: 'process',
    compiles: false,
    // Python without PyTorch.
    memory: { processMiB: 64 },
  },
  options: z.strictObject({}),
  async probe(device) {
    const found = await pythonAvailability(['onnxruntime-genai', 'onnxruntime']);
    if (device === 'cpu') {
      if (!found.available) return found;
      return { available: true, versions: found.versions, notes: found.notes };
    }
    const hardware = await firstDevice(device);
    const lacks: Lack[] = 'lack' in hardware ? [hardware.lack] : [];
    if (!found.available) lacks.push(found);
    else if (!(await genaiHasCuda(found.interpreter))) {
      lacks.push({
        reason: `onnxruntime-genai ${found.versions['onnxruntime-genai']} was built without CUDA`,
        mend: 'name an environment with onnxruntime-genai-cuda in ORTBENCH_PYTHON',
      });
    }
    if (!found.available || 'lack' in hardware || lacks.length > 0) return unavailable(lacks);
    const notes = [...found.notes, describeDevice(hardware.device)];
    return { available: true, versions: found.versions, notes };
  },
  install: installPython,
  drive: { kind: 'runner', command: () => pythonRunnerCommand('ortbench_runners.genai', []) },
};
