import type { EndRecord, SampleRecord, StageTime } from '../schema/record.ts';
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

/** Where the time of a run went, over all its attempts. */
export interface TimeUse {
  readonly wallNs: number;
  readonly engineNs: number;
  /** The longest first; empty where an attempt did not tell. */
  readonly stages: readonly StageTime[];
}

/** Null for a run without an end. */
export function timeUse(ends: readonly EndRecord[]): TimeUse | null {
  if (ends.length === 0) return null;
  const sum = (of: (end: EndRecord) => number): number => ends.reduce((total, end) => total + of(end), 0);
  const told = ends.every(({ stages }) => stages !== undefined);
  const stages = new Map<string, StageTime>();
  for (const { stage, wallNs, engineNs } of told ? ends.flatMap((end) => end.stages!) : []) {
    const { wallNs: wall, engineNs: engine } = stages.get(stage) ?? { wallNs: 0, engineNs: 0 };
    stages.set(stage, { stage, wallNs: wall + wallNs, engineNs: engine + engineNs });
  }
  return {
    wallNs: sum(({ wallNs }) => wallNs),
    engineNs: sum(({ engineNs }) => engineNs),
    stages: [...stages.values()].sort((a, b) => b.wallNs - a.wallNs),
  };
}
