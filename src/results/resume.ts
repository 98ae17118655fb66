import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../errors.ts';
import { cellKey, sessionKey } from '../schema/cell.ts';
import type { Manifest } from '../schema/manifest.ts';
import type { RunRecord, SessionRecord } from '../schema/record.ts';
import type { SummarisedRecord } from '../stats/run-summary.ts';

type Stored = RunRecord | SummarisedRecord;

/** Facts of the machine that may not change within one run. Free memory or the load may. */
const FIXED_FACTS = ['cpuModel', 'physicalCores', 'memoryMiB', 'kernel', 'gpu', 'node', 'ortbench'] as const;

/** What keeps two manifests from being one run, in words; null when nothing does. */
export function explainDifference(stored: Manifest, now: Manifest): string | null {
  const facts = FIXED_FACTS.filter((fact) => stored.environment[fact] !== now.environment[fact]).map(
    (fact) => `${fact} was ${stored.environment[fact]} and is ${now.environment[fact]}`,
  );
  if (facts.length > 0) return `the machine differs: ${facts.join('; ')}`;
  if (stored.configSha256 === now.configSha256) return null;
  const before = stored.config as Record<string, unknown>;
  const after = now.config as Record<string, unknown>;
  const keys = Object.keys({ ...before, ...after }).filter(
    (key) => !isDeepStrictEqual(before[key], after[key]),
  );
  return `its config is another one${keys.length > 0 ? ` (${keys.join(', ')} changed)` : ''}`;
}

/** Keys of the cells that earlier attempts finished. A cell that an interrupt cut short is not finished. */
export function finishedCells(records: readonly Stored[]): Set<string> {
  const finished = new Set<string>();
  for (const record of records) {
    if (record.kind === 'outcome' && record.status !== 'interrupted') finished.add(cellKey(record.cell));
  }
  return finished;
}

/** @throws UserError when an engine or artefact is no longer what the earlier attempts measured. */
export function checkSameSession(earlier: readonly Stored[], now: SessionRecord): void {
  const key = sessionKey(now);
  const before = earlier.findLast(
    (record): record is SessionRecord => record.kind === 'session' && sessionKey(record) === key,
  );
  if (before === undefined) return;
  const changed = Object.keys({ ...before.versions, ...now.versions })
    .filter((name) => before.versions[name] !== now.versions[name])
    .map(
      (name) => `${name} was ${before.versions[name] ?? 'absent'} and is ${now.versions[name] ?? 'absent'}`,
    );
  if (before.artefact !== now.artefact) changed.push('its model file is another one');
  // Unknown of what earlier versions stored; the artefact's hash stands for it then.
  if (before.chain && now.chain && !isDeepStrictEqual(before.chain, now.chain))
    changed.push('its weights come from another checkpoint');
  if (changed.length === 0) return;
  throw new UserError(`this run cannot be resumed: ${key} changed (${changed.join('; ')})`, {
    hint: 'numbers of different conditions are never mixed: start a new run without --resume',
  });
}
