import type { Engine } from './engine.ts';

/** Every engine, by the id a sweep writes. Imported lazily: `--help` and reports load none. */
export const ENGINES: Readonly<Record<string, () => Promise<Engine>>> = {
  onnxruntime: async () => (await import('./onnxruntime/engine.ts')).onnxruntime,
  'onnxruntime-js': async () => (await import('./onnxruntime-js/engine.ts')).onnxruntimeJs,
  'pytorch-eager': async () => (await import('./pytorch/eager.ts')).pytorchEager,
  'pytorch-compile': async () => (await import('./pytorch/compile.ts')).pytorchCompile,
  llamacpp: async () => (await import('./llamacpp/engine.ts')).llamacpp,
  genai: async () => (await import('./genai/engine.ts')).genai,
  fake: async () => (await import('./fake/engine.ts')).fake,
};
