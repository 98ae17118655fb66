import type { SampleRecord } from '../schema/record.ts';
import { median } from './descriptive.ts';

/** CPU use of the harness beside the engine that was being timed, in cores. */
export interface HarnessUse {
  readonly typicalCores: number;
  readonly highestCores: number;
}

/** Median and highest over samples; null where no system told. */
export function harnessUse(samples: Iterable<Pick<SampleRecord, 'harnessCores'>>): HarnessUse | null {
  const cores: number[] = [];
  for (const { harnessCores } of samples) if (harnessCores != null) cores.push(harnessCores);
  if (cores.length === 0) return null;
  return { typicalCores: median(cores), highestCores: cores.reduce((a, b) => Math.max(a, b)) };
}
