import { z } from 'zod';
import type { Engine } from '../engine.ts';
import { pythonRunnerCommand } from '../python/command.ts';
import { installPython } from '../python/install.ts';
import { precisions, probePytorch } from './shared.ts';

/** transformers' own forward, uncompiled, with its growing cache: the reference of the parity check. */
export const pytorchEager: Engine = {
  meta: {
    id: 'pytorch-eager',
    title: 'PyTorch eager',
    artefact: 'checkpoint',
    precisions,
    ragged: true,
    isolation: 'process',
    compiles: false,
    reference: true,
  },
  options: z.strictObject({}),
  async probe(device) {
    const { headers: _, ...availability } = await probePytorch(device);
    return availability;
  },
  install: installPython,
  drive: {
    kind: 'runner',
    command: () => pythonRunnerCommand('ortbench_runners.pytorch', ['--mode', 'eager']),
  },
};
