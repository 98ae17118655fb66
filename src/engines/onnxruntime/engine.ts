import type { Engine } from '../engine.ts';
import { NativeSession } from '../native/session.ts';
import { ortOptionsSchema } from './options.ts';
import { ORT_PRECISIONS } from './precisions.ts';

/**
 * ONNX Runtime in the harness's own process, through the C API of the library that onnxruntime-node ships, with past
 * and present KV in one buffer: no copy of the cache per step, as onnxruntime-genai does it. On a GPU through its CUDA or
 * WebGPU provider, with that buffer in the device's memory.
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
  // The probe's module as well: it opens the library.
  probe: async (device, options) => (await import('./probe.ts')).probe(device, options),
  drive: {
    kind: 'native',
    // Imported here so that a report or `--help` loads neither koffi nor the library.
    load: async (request) => new NativeSession(await (await import('./load.ts')).load(request)),
  },
};
