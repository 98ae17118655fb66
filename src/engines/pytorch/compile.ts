import { z } from 'zod';
import type { Device } from '../../schema/vocabulary.ts';
import type { Availability, Engine } from '../engine.ts';
import { pythonRunnerCommand } from '../python/command.ts';
import { installPython } from '../python/install.ts';
import { findCompiler } from './compiler.ts';
import { precisions, probePytorch } from './shared.ts';

const optionsSchema = z.strictObject({
  /** torch.compile's own mode; `auto` is what was measured to be the fastest on the device, for each phase. */
  mode: z
    .enum(['auto', 'default', 'reduce-overhead', 'max-autotune-no-cudagraphs', 'max-autotune'])
    .default('auto'),
  /**
   * Weights as constants of each graph, packed for its kernels: one more copy a graph. On the CPU unless said otherwise,
   * for as long as the copies fit well into the free memory.
   */
  freezing: z.boolean().optional(),
});

async function probe(device: Device): Promise<Availability> {
  const { headers, ...availability } = await probePytorch(device);
  // On Windows torch finds its compiler in the registry, and says so itself.
  if (!availability.available || device !== 'cpu' || process.platform === 'win32') return availability;
  if ((await findCompiler()) === null) {
    return { available: false, reason: 'torch.compile needs a C++ compiler', mend: 'apt install g++' };
  }
  if (!headers) {
    return {
      available: false,
      reason: 'torch.compile needs the C headers of Python',
      mend: 'apt install python3-dev',
    };
  }
  return availability;
}

/** torch.compile with a static KV cache; graphs are compiled when a shape is prepared, never while timing. */
export const pytorchCompile: Engine = {
  meta: {
    id: 'pytorch-compile',
    title: 'PyTorch compile',
    artefact: 'checkpoint',
    precisions,
    ragged: true,
    isolation: 'process',
    compiles: true,
    // A static cache; graphs of prefill and of decode, each with weights of its own.
    memory: { kvCopies: 1, compile: { processMiB: 160, weightCopies: 2 } },
  },
  options: optionsSchema,
  probe,
  install: installPython,
  drive: {
    kind: 'runner',
    command: () => pythonRunnerCommand('ortbench_runners.pytorch', ['--mode', 'compile']),
  },
};
