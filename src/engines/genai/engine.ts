import { z } from 'zod';
import type { Engine } from '../engine.ts';
import { ORT_PRECISIONS } from '../onnxruntime/precisions.ts';
import { pythonAvailability } from '../python/availability.ts';
import { pythonRunnerCommand } from '../python/command.ts';
import { installPython } from '../python/install.ts';

/** onnxruntime-genai as a Python runner: the yardstick of the in-process ONNX Runtime engine. */
export const genai: Engine = {
  meta: {
    id: 'genai',
    title: 'ONNX Runtime GenAI',
    artefact: 'onnx',
    precisions: ORT_PRECISIONS,
    ragged: false,
    isolation: 'process',
    compiles: false,
    // Python without PyTorch.
    memory: { processMiB: 64 },
  },
  options: z.strictObject({}),
  async probe(device) {
    if (device !== 'cpu') {
      return {
        available: false,
        reason: `onnxruntime-genai is driven on the CPU only, not on ${device}`,
        mend: 'set device: cpu',
      };
    }
    const found = await pythonAvailability(['onnxruntime-genai', 'onnxruntime']);
    if (!found.available) return found;
    return { available: true, versions: found.versions, notes: found.notes };
  },
  install: installPython,
  drive: { kind: 'runner', command: () => pythonRunnerCommand('ortbench_runners.genai', []) },
};
