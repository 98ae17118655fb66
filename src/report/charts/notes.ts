import type { Phase } from '../../schema/vocabulary.ts';
import { FEWEST_FOR_INTERVAL } from '../../stats/hodges-lehmann.ts';
import { explainDepth } from '../depth.ts';
import { describeHardware, describeModel, describeVersions } from '../describe.ts';
import { definitionNotes } from '../imported.ts';
import { oneLine } from '../markdown.ts';
import type { CellRow, Parity, Report, ReportRun } from '../model.ts';

/**
 * What stands under every chart: without it a figure could not be judged, nor measured again.
 * @param phase null where both sides are counted alike, whatever they leave out
 */
export function conditionNotes(
  report: Report,
  rows: readonly CellRow[],
  method: string,
  phase: Phase | null,
): string[] {
  const { manifest, interrupted } = report;
  const { cell, modelTitle } = rows[0]!;
  const own = rows.filter(({ imported }) => imported === null);
  const parity = own.length === 0 ? null : parityNote(manifest.parity, own);
  const runs = report.runs.filter((run) => rows.some((row) => row.run === run));
  const ofRun = (run: ReportRun) => own.filter((row) => row.run === run);
  return [
    ...(phase === 'prefill' ? runs.flatMap((run) => explainDepth(run.manifest, ofRun(run))) : []),
    `${modelTitle}: ${describeModel(manifest, cell.model)}.`,
    ...runs.flatMap((run) => runNotes(run, rows)),
    ...definitionNotes(rows),
    [
      own.length === 0 ? null : method,
      parity,
      report.runs.length > 1 ? 'No figure is divided by one of another run.' : null,
      interrupted ? 'Partial result: the run was interrupted.' : null,
    ]
      .filter((part) => part !== null)
      .join(' '),
    ...report.unlike,
  ]
    .filter((note) => note !== '')
    .map((note) => oneLine(note, 700));
}

/** On what a run was made; in a report of several, behind the run's name. */
function runNotes(run: ReportRun, rows: readonly CellRow[]): string[] {
  const { manifest, label } = run;
  const versions = describeVersions(rows.filter((row) => row.run === run));
  const stamp = `ortbench ${manifest.environment.ortbench}, run ${manifest.runId}, ${manifest.createdAt.slice(0, 10)}.`;
  if (label === null) {
    return [`${describeHardware(manifest)}.`, ...(versions === '' ? [] : [`${versions}.`]), stamp];
  }
  return [
    [`${label}: ${describeHardware(manifest)}`, versions, stamp].filter((part) => part !== '').join('; '),
  ];
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
