import { EngineError } from '../../errors.ts';
import type { Device } from '../../schema/vocabulary.ts';
import type { Availability, Engine } from '../engine.ts';
import { NativeSession } from '../native/session.ts';
import { ortOptionsSchema } from './options.ts';
import { ORT_PRECISIONS } from './precisions.ts';

/**
 * ONNX Runtime in the harness's own process, through the C API of the library that onnxruntime-node ships, with past
 * and present KV in one buffer: no copy of the cache per step, as onnxruntime-genai does it.
 */
export const onnxruntime: Engine = {
  meta: {
    id: 'onnxruntime',
    title: 'ONNX Runtime',
    artefact: 'onnx',
    precisions: ORT_PRECISIONS,
    ragged: true,
    isolation: 'in-process',
    compiles: false,
  },
  options: ortOptionsSchema,
  probe,
  drive: {
    kind: 'native',
    // Imported here so that a report or `--help` loads neither koffi nor the library.
    load: async (request) => new NativeSession(await (await import('./load.ts')).load(request)),
  },
};

async function probe(device: Device, options: Record<string, unknown>): Promise<Availability> {
  const mend = 'npm install --ignore-scripts onnxruntime-node koffi';
  if (device !== 'cpu') {
    return {
      available: false,
      reason: `ONNX Runtime is driven on the CPU only, not on ${device}`,
      mend: 'set device: cpu',
    };
  }
  const { openFor } = await import('./load.ts');
  try {
    const { library, versions } = await openFor(ortOptionsSchema.parse(options));
    return { available: true, versions, notes: [library.build] };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { available: false, reason: error.message, mend };
  }
}
