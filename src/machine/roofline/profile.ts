import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../../files/atomic.ts';
import { cacheRoot } from '../../files/cache-root.ts';
import { type ElementType, type Roofline, rooflineSchema } from '../../schema/roofline.ts';
import { formatNumber } from '../../units.ts';
import { type MachineIdentity, machineFingerprint } from '../fingerprint.ts';

/** After this, power settings, firmware or neighbours may be others. */
const MOST_DAYS = 30;
const MS_PER_DAY = 86_400_000;
/** A roof measured beside other work may be too low, and then honest cells would be above it. */
const BUSY_CORES = 0.25;

const profileSchema = z.strictObject({
  format: z.literal(1),
  kernel: z.string(),
  microcode: z.string().nullable(),
  roofline: rooflineSchema,
});

/** `disturbed`: of this machine as it is, but measured beside other work, so only a lower bound of its roof. */
export type Known =
  | { readonly roofline: Roofline }
  | { readonly missing: string; readonly disturbed?: Roofline };

export const isDisturbed = ({ otherLoadCores }: Pick<Roofline, 'otherLoadCores'>): boolean =>
  (otherLoadCores ?? 0) > BUSY_CORES;

/** Two measurements of one machine: the higher figure of each, with all else of the first. */
export function bestOf(first: Roofline, second: Roofline): Roofline {
  const known = new Map(second.bandwidth.map((point) => [point.workingSetBytes, point]));
  const bandwidth = first.bandwidth.map((point) => {
    const other = known.get(point.workingSetBytes);
    return other !== undefined && other.bytesPerSecond > point.bytesPerSecond ? other : point;
  });
  const faster = (element: ElementType) => {
    const [a, b] = [first.matrix[element], second.matrix[element]];
    return a !== null && (b === null || a.operationsPerSecond >= b.operationsPerSecond) ? a : b;
  };
  const matrix = { fp32: faster('fp32'), fp16: faster('fp16'), bf16: faster('bf16'), int8: faster('int8') };
  return { ...first, bandwidth, matrix };
}

/** One file for each machine and number of threads: a cache may lie on a disk that several machines share. */
export function profilePath(identity: MachineIdentity, threads: number): string {
  return join(cacheRoot(), 'machines', `${machineFingerprint(identity)}-${threads}.json`);
}

/** The stored measurement, or why it has to be made anew. */
export async function readProfile(identity: MachineIdentity, threads: number, now: Date): Promise<Known> {
  let text: string;
  try {
    text = await readFile(profilePath(identity, threads), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { missing: 'not measured yet' };
    throw error;
  }
  const parsed = profileSchema.safeParse(parseJson(text));
  if (!parsed.success) return { missing: 'the stored profile is of another version' };
  const { roofline } = parsed.data;
  const stale = staleness(parsed.data, identity, now);
  if (stale !== null) return { missing: stale };
  if (!isDisturbed(roofline)) return { roofline };
  return { missing: 'other processes disturbed the last measurement', disturbed: roofline };
}

export async function writeProfile(identity: MachineIdentity, roofline: Roofline): Promise<void> {
  const path = profilePath(identity, roofline.threads);
  await mkdir(dirname(path), { recursive: true });
  const { kernel, microcode } = identity;
  const profile: z.infer<typeof profileSchema> = { format: 1, kernel, microcode, roofline };
  await writeFileAtomic(path, `${JSON.stringify(profile, null, 2)}\n`);
}

function staleness(
  { kernel, microcode, roofline }: z.infer<typeof profileSchema>,
  identity: MachineIdentity,
  now: Date,
): string | null {
  const days = (now.getTime() - Date.parse(roofline.measuredAt)) / MS_PER_DAY;
  // A clock that was set back makes ages negative; neither is worth trusting.
  if (days > MOST_DAYS || days < 0) return `measured ${formatNumber(Math.abs(days))} days ago`;
  if (kernel !== identity.kernel) return `the kernel was ${kernel} and is ${identity.kernel}`;
  if (microcode !== identity.microcode)
    return `the microcode was ${microcode ?? 'unknown'} and is ${identity.microcode ?? 'unknown'}`;
  return null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
