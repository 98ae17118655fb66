import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeLine } from '../../src/results/line.ts';
import type { Manifest } from '../../src/schema/manifest.ts';
import type { RunRecord } from '../../src/schema/record.ts';
import { type FixtureOptions, makeRun } from '../report/fixtures.ts';

export interface Night {
  /** Days after 1 January 2026. */
  readonly day: number;
  /** Of the engine `new`, against 1. */
  readonly speed?: number;
  readonly version?: string;
  readonly options?: FixtureOptions;
  readonly manifest?: (manifest: Manifest) => Manifest;
  readonly records?: (records: readonly RunRecord[]) => readonly RunRecord[];
}

const START = Date.UTC(2026, 0, 1, 2, 17);

/** One night's results folder, as a sweep leaves it. */
export function writeNight(folder: string, night: Night): void {
  const { day, speed = 1, version = '1.30.0', options = {}, manifest: edit, records: editRecords } = night;
  const input = makeRun({
    engines: [
      { name: 'steady', title: 'Steady', speed: [1, 1], versions: { steady: '7' } },
      { name: 'new', title: 'New', speed: [speed, speed], versions: { library: version } },
    ],
    precisions: ['int4'],
    batchSizes: [1],
    promptLengths: [32, 64],
    rounds: 6,
    generate: 16,
    baselines: [],
    seed: day + 1,
    ...options,
  });
  const at = new Date(START + day * 86_400_000).toISOString();
  const own: Manifest = { ...input.manifest, runId: `night-${String(day).padStart(3, '0')}`, createdAt: at };
  const records = editRecords?.(input.records) ?? input.records;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(edit?.(own) ?? own));
  writeFileSync(join(folder, 'records.jsonl'), records.map(encodeLine).join(''));
}

/** Nights side by side under one folder, as a nightly job leaves them. */
export function writeNights(folder: string, nights: readonly Night[]): void {
  for (const night of nights) writeNight(join(folder, `2026-${String(night.day).padStart(3, '0')}`), night);
}

/** 24 nights; from the 16th on the engine `new` is 8 % slower, with another version. */
export const SLOWER: readonly Night[] = Array.from({ length: 24 }, (_, day) =>
  day < 16 ? { day } : { day, speed: 0.92, version: '1.31.0' },
);
