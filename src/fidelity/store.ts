import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { InfrastructureError } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic.ts';
import type { FidelityProblem, FidelityRow } from './row.ts';

/** One comparison as it was measured last: the page is made from these, so that engines can be measured one by one. */
const sectionSchema = z.object({
  /** The name of the comparison. */
  name: z.string(),
  engine: z.string(),
  measuredAt: z.string(),
  machine: z.object({
    cpuModel: z.string(),
    physicalCores: z.int(),
    logicalCores: z.int(),
    memoryMiB: z.number(),
    os: z.string(),
    kernel: z.string(),
    virtualised: z.boolean().nullable(),
    node: z.string(),
    ortbench: z.string(),
  }),
  threads: z.int(),
  /** How often everything was opened anew; one where it was not recorded yet. */
  sittings: z.int().default(1),
  versions: z.record(z.string(), z.string()),
  rows: z.array(z.custom<FidelityRow>((row) => typeof row === 'object' && row !== null && 'ratio' in row)),
  problems: z.array(z.custom<FidelityProblem>((problem) => typeof problem === 'object' && problem !== null)),
});
export type FidelitySection = z.infer<typeof sectionSchema>;

const storeSchema = z.object({ format: z.literal(1), sections: z.array(sectionSchema) });

/** Empty where nothing was kept yet. @throws InfrastructureError for a file that is something else */
export async function readSections(file: string): Promise<FidelitySection[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return [];
  try {
    return storeSchema.parse(JSON.parse(text)).sections;
  } catch (cause) {
    throw new InfrastructureError(`${file} does not hold the fidelity of an earlier run`, {
      hint: 'move it away: it is made anew',
      cause,
    });
  }
}

/** Replaces the sections that were measured again, and keeps the others. */
export async function writeSections(
  file: string,
  fresh: readonly FidelitySection[],
): Promise<FidelitySection[]> {
  const again = new Set(fresh.map(({ name }) => name));
  const sections = [...(await readSections(file)).filter(({ name }) => !again.has(name)), ...fresh];
  await writeFileAtomic(file, `${JSON.stringify({ format: 1, sections }, null, 1)}\n`);
  return sections;
}
