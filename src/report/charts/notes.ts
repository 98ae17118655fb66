import { FEWEST_FOR_INTERVAL } from '../../stats/hodges-lehmann.ts';
import { describeHardware, describeModel, describeVersions } from '../describe.ts';
import { oneLine } from '../markdown.ts';
import type { CellRow, Parity, Report } from '../model.ts';

/** What stands under every chart: without it a figure could not be judged, nor measured again. */
export function conditionNotes(
  { manifest, interrupted }: Report,
  rows: readonly CellRow[],
  method: string,
): string[] {
  const model = rows[0]!.cell.model;
  const parity = parityNote(manifest.parity, rows);
  return [
    `${rows[0]!.modelTitle}: ${describeModel(manifest, model)}.`,
    `${describeHardware(manifest)}.`,
    `${describeVersions(rows)}.`,
    [method, parity, interrupted ? 'Partial result: the run was interrupted.' : null]
      .filter((part) => part !== null)
      .join(' '),
    `ortbench ${manifest.environment.ortbench}, run ${manifest.runId}, ${manifest.createdAt.slice(0, 10)}.`,
  ].map((note) => oneLine(note, 700));
}

function parityNote(checked: boolean, rows: readonly CellRow[]): string {
  if (!checked) return 'PARITY NOT CHECKED: nothing shows that these engines computed the same thing.';
  const measured = rows.filter((row) => row.measured !== null);
  const titles = (verdict: Parity) =>
    [
      ...new Set(measured.filter(({ parity }) => parity === verdict).map(({ engineTitle }) => engineTitle)),
    ].join(', ');
  const mismatch = titles('mismatch');
  const unchecked = titles('unchecked');
  const exceptions = [
    ...(mismatch === '' ? [] : [`mismatch of ${mismatch}`]),
    ...(unchecked === '' ? [] : [`${unchecked} unchecked`]),
  ];
  return exceptions.length === 0
    ? 'Parity checked: the logits of all engines match the reference.'
    : `Parity with the reference: ${exceptions.join('; ')}.`;
}

/** The sentence on how a bar came about. */
export function methodNote(repetitions: number, what: string): string {
  const rounds = `${what} of ${repetitions} ${repetitions === 1 ? 'round' : 'rounds'}, engines in random order within each`;
  return repetitions >= FEWEST_FOR_INTERVAL
    ? `${rounds}; error bars: 95 % intervals.`
    : `${rounds}; too few for intervals.`;
}
