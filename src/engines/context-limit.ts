import type { ModelShape } from '../schema/model.ts';
import type { EngineMeta } from './engine.ts';

/** The longest sequence, prompt and generated tokens together, on which the engine computes this model, and why. */
export function contextLimit(meta: EngineMeta, shape: ModelShape): { tokens: number; reason: string | null } {
  const { maxContextLength, slidingWindow } = shape;
  const reason = meta.ignoresSlidingWindow;
  if (slidingWindow == null || reason === undefined || maxContextLength <= slidingWindow)
    return { tokens: maxContextLength, reason: null };
  return { tokens: slidingWindow, reason };
}
