import type { LoadedSweep } from '../config/load.ts';
import type { Engine } from '../engines/engine.ts';
import { cacheRoot } from '../files/cache-root.ts';
import { freeDiskMiB } from '../machine/disk.ts';
import { artefactBytes, isPrepared } from '../models/prepare.ts';
import type { MadeKind } from '../models/recipe.ts';
import { artefactKey, type DiskFacts } from '../plan/cuts.ts';

const BYTES_PER_MIB = 2 ** 20;

/** Model files that a sweep would have to make, and the room in the cache; null where the system cannot tell. */
export async function diskFacts(
  { sweep, models }: LoadedSweep,
  engines: ReadonlyMap<string, Engine>,
): Promise<DiskFacts | null> {
  const freeMiB = await freeDiskMiB(cacheRoot());
  if (freeMiB === null) return null;
  const kinds = new Set<MadeKind>(['checkpoint']);
  for (const { meta } of engines.values()) if (meta.artefact !== 'none') kinds.add(meta.artefact);
  const missing = new Map<string, number>();
  for (const model of models) {
    for (const precision of sweep.precisions) {
      for (const kind of kinds) {
        if (await isPrepared({ model, kind, precision, device: sweep.device })) continue;
        const bytes = artefactBytes(kind, precision, model.shape);
        missing.set(artefactKey(model.spec.name, kind, precision), bytes / BYTES_PER_MIB);
      }
    }
  }
  return { freeMiB, missing };
}
