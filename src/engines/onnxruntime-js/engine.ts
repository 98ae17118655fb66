import { EngineError } from '../../errors.ts';
import type { Device } from '../../schema/vocabulary.ts';
import type { Availability, Engine } from '../engine.ts';
import { packagedLibrary } from '../onnxruntime/capi/location.ts';
import { ORT_CPU_PRECISIONS } from '../onnxruntime/precisions.ts';
import { ortJsOptionsSchema } from './options.ts';

/**
 * ONNX Runtime as a JavaScript application gets it today: onnxruntime-node's public `InferenceSession.run`. The same
 * library and model as the engine over the C API; what differs is that `run` copies every output, the KV cache
 * included, into a new ArrayBuffer on each call.
 */
export const onnxruntimeJs: Engine = {
  meta: {
    id: 'onnxruntime-js',
    title: 'ONNX Runtime (JavaScript)',
    artefact: 'onnx',
    precisions: ORT_CPU_PRECISIONS,
    ragged: true,
    // The copies are garbage of the JavaScript heap: collecting it would fall into another engine's timed steps, and its
    // peak would be taken for the other's memory.
    isolation: 'process',
    compiles: false,
    // Every run's outputs are new objects, the cache among them: that much garbage lies about before it is collected.
    memory: { kvCopies: 3, hostMiB: 35 },
  },
  options: ortJsOptionsSchema,
  probe,
  drive: {
    kind: 'native',
    load: async (request) => (await import('./load.ts')).load(request),
  },
};

/** Looks for the files only: what is loaded into the harness stays there. */
async function probe(device: Device): Promise<Availability> {
  if (device !== 'cpu') {
    return {
      available: false,
      reason: `ONNX Runtime is driven on the CPU only, not on ${device}`,
      mend: 'set device: cpu',
    };
  }
  try {
    const { packageVersion } = packagedLibrary();
    return { available: true, versions: { 'onnxruntime-node': packageVersion }, notes: [] };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return {
      available: false,
      reason: error.message,
      mend: 'npm install --ignore-scripts onnxruntime-node',
    };
  }
}
