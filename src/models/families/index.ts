import type { ModelFamily } from './family.ts';
import { llama } from './llama.ts';
import { phi } from './phi.ts';

/** A family is a file here, one in runners/ortbench_runners/prepare/families, and a line in each. */
export const FAMILIES: Readonly<Record<string, ModelFamily>> = { llama, phi };
