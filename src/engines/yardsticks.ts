import type { EngineYardsticks } from './yardstick.ts';

/** The own tools of each engine, by the engine's id. Imported lazily, as the engines are. */
export const YARDSTICKS: Readonly<Record<string, () => Promise<EngineYardsticks>>> = {
  onnxruntime: async () => (await import('./onnxruntime/yardsticks.ts')).yardsticks,
  'pytorch-eager': async () => (await import('./pytorch/yardsticks.ts')).eagerYardsticks,
  'pytorch-compile': async () => (await import('./pytorch/yardsticks.ts')).compileYardsticks,
  llamacpp: async () => (await import('./llamacpp/yardsticks.ts')).yardsticks,
  fake: async () => (await import('./fake/yardsticks.ts')).yardsticks,
};
