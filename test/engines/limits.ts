import type { TimeLimits } from '../../src/runner/child/session.ts';

/** Generous: a cold import of PyTorch on a busy machine takes its time. */
export const sessionLimits: TimeLimits = { readySeconds: 180, cellSeconds: 300, closeSeconds: 10 };
