import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DEVICES, precisionSchema } from '../schema/vocabulary.ts';

export const ARTEFACT_FILE = 'artefact.json';

/** What lies in an artefact's folder, and the chain of hashes that says where it came from. Holds no path outside it. */
export const artefactFileSchema = z.object({
  format: z.literal(1),
  model: z.string(),
  origin: z.string(),
  kind: z.enum(['checkpoint', 'onnx', 'gguf']),
  precision: precisionSchema,
  device: z.enum(DEVICES).nullable(),
  /** Hash of the recipe: the source, the settings and the pinned tools. */
  recipeSha256: z.string(),
  recipe: z.record(z.string(), z.unknown()),
  /** The canonical checkpoint that it was made from, by the hash of its files; null for a checkpoint. */
  checkpointSha256: z.string().nullable(),
  /** What the Python side says that it made: quantised matrices, tensor types, exact versions. */
  facts: z.record(z.string(), z.unknown()),
  files: z.array(z.object({ path: z.string(), bytes: z.int().min(0), sha256: z.string() })),
  bytes: z.int().min(0),
  /** Stands for the files and how they were made. */
  sha256: z.string(),
});
export type ArtefactFile = z.infer<typeof artefactFileSchema>;

/** The description of a complete artefact; null when there is none, or a file is missing or has another size. */
export async function readArtefactFile(dir: string): Promise<ArtefactFile | null> {
  const text = await readFile(join(dir, ARTEFACT_FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  });
  if (text === null) return null;
  try {
    const found = artefactFileSchema.parse(JSON.parse(text));
    const sizes = await Promise.all(found.files.map(async (file) => (await stat(join(dir, file.path))).size));
    return sizes.every((size, i) => size === found.files[i]!.bytes) ? found : null;
  } catch {
    return null;
  }
}
