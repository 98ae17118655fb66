import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Effective } from '../../schema/protocol.ts';

const factsSchema = z.object({
  embeddingType: z.string().optional(),
  headType: z.string().optional(),
  slidingWindow: z.int().optional(),
});

/**
 * Types of the embedding's table and of the matrix before the logits, and the window of its attention, as `prepare` read
 * them from the graph that it made; nothing for a model that it did not make.
 */
export function artefactFacts(artefactDir: string): Effective {
  const file = join(artefactDir, 'ortbench.json');
  if (!existsSync(file)) return {};
  const { embeddingType, headType, slidingWindow } = factsSchema.parse(
    JSON.parse(readFileSync(file, 'utf8')),
  );
  if (embeddingType === undefined || headType === undefined) return {};
  return { embeddingType, headType, slidingWindow: slidingWindow ?? 'none' };
}
