import { sessionKey } from '../schema/cell.ts';
import type { ParityRecord, SessionRecord } from '../schema/record.ts';
import { groupBy } from './group-by.ts';
import type { CellRow } from './model.ts';

/** Enough of a hash to tell two apart by eye; the CSV files have the whole. */
export const shortHash = (sha256: string | null | undefined): string => sha256?.slice(0, 12) ?? 'unknown';

type Weighed = Pick<CellRow, 'cell' | 'session'>;

/**
 * In what two cells' weights are known to differ, in words; null when they come from one canonical checkpoint, or from one
 * source where their precisions differ. What earlier versions stored does not say, and loads of no model are none.
 */
export function unlikeWeights(
  [row, name]: readonly [Weighed, string],
  [other, otherName]: readonly [Weighed, string],
): string | null {
  const a = row.session?.chain;
  const b = other.session?.chain;
  if (!a || !b) return null;
  const what = row.cell.precision === other.cell.precision ? 'checkpoint' : 'source';
  if (a[what] === b[what]) return null;
  const kind = what === 'checkpoint' ? 'canonical checkpoint' : 'source';
  return `other weights: ${name} computed with the ${kind} ${shortHash(a[what])}, ${otherName} with ${shortHash(b[what])}`;
}

/** Why a check that matched shows nothing: its reference computed with other weights. */
export function unlikeReference(
  { verdict, reference }: ParityRecord,
  session: SessionRecord | null,
): string | null {
  const own = session?.chain?.checkpoint;
  if (verdict !== 'match' || !reference || !own || reference.checkpoint === own) return null;
  return `the parity reference computed with the canonical checkpoint ${shortHash(reference.checkpoint)}, this engine with ${shortHash(own)}`;
}

/** The rows that stand for the loaded models of a report, those that load none apart. */
export function loadedModels(rows: readonly CellRow[]): CellRow[] {
  const loaded = rows.filter(({ session }) => session !== null && session.artefact !== null);
  return [...groupBy(loaded, ({ run, cell }) => `${run.label ?? ''}\n${sessionKey(cell)}`).values()].map(
    (group) => group.find(({ parityReference }) => parityReference !== null) ?? group[0]!,
  );
}

/** Whether the engines of each comparison share one canonical checkpoint, a sentence for each model, precision and run. */
export function weightSentences(rows: readonly CellRow[]): string[] {
  const groups = groupBy(
    loadedModels(rows),
    ({ run, modelTitle, cell }) =>
      `${run.label === null ? '' : `${run.label}: `}${modelTitle}, ${cell.precision}`,
  );
  return [...groups].map(([who, members]) => {
    const used = members.flatMap(({ session, parityReference }) => [
      session!.chain?.checkpoint ?? null,
      ...(parityReference ? [parityReference.checkpoint] : []),
    ]);
    const known = new Set(used.filter((checkpoint) => checkpoint !== null));
    if (known.size > 1)
      return `${who}: not one canonical checkpoint (${[...known].map(shortHash).join(', ')}); what differs is not compared.`;
    if (used.includes(null))
      return `${who}: unknown whether engines share one canonical checkpoint, for the run does not say.`;
    const withReference = members.some(({ parityReference }) => parityReference !== null);
    return `${who}: one canonical checkpoint, ${shortHash(used[0])}, for every engine${withReference ? ' and the parity reference' : ''}.`;
  });
}
