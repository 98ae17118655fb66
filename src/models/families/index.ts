import type { ModelFamily } from './family.ts';
import { gemma } from './gemma.ts';
import { llama } from './llama.ts';
import { mistral } from './mistral.ts';
import { phi } from './phi.ts';

/** A family is a file here, one in runners/ortbench_runners/prepare/families, and a line in each. */
export const FAMILIES: Readonly<Record<string, ModelFamily>> = { llama, phi, mistral, gemma };
