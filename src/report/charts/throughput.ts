import { PHASES } from '../../schema/vocabulary.ts';
import { PHASE_RATE } from '../../stats/rates.ts';
import { formatCompact } from '../../units.ts';
import { PHASE_TITLE } from '../describe.ts';
import { fileStem } from '../file-name.ts';
import { groupBy } from '../group-by.ts';
import type { CellRow, Report } from '../model.ts';
import { type Chart, type Figure, hasBars } from './figure.ts';
import { makeGrid } from './grid.ts';
import { conditionNotes, methodNote } from './notes.ts';

/** Tokens per second of every engine over batch sizes and prompt lengths: one figure a model, precision, device and phase. */
export const throughput: Chart = {
  figures: (report) =>
    [
      ...groupBy(report.rows, ({ cell }) =>
        JSON.stringify([cell.model, cell.precision, cell.device]),
      ).values(),
    ]
      .flatMap((rows) => PHASES.map((phase) => figure(report, rows, phase)))
      .filter(hasBars),
};

function figure(report: Report, rows: readonly CellRow[], phase: (typeof PHASES)[number]): Figure {
  const { cell, modelTitle } = rows[0]!;
  const grid = makeGrid(
    report.manifest,
    rows.map(({ cell: own, engineTitle, measured, status, reason }) => ({
      cell: own,
      engineTitle,
      outcome:
        measured === null
          ? { reason: `${status}: ${reason}` }
          : {
              value: measured.rates[PHASE_RATE[phase]],
              interval: measured.intervals[phase],
              hatched: status === 'mismatch',
            },
    })),
  );
  return {
    model: cell.model,
    stem: fileStem([
      cell.model,
      cell.precision,
      cell.device,
      phase === 'prefill' ? 'prompt' : 'generation',
      'throughput',
    ]),
    title: `${PHASE_TITLE[phase]} – ${modelTitle}, ${cell.precision}, ${cell.device.toUpperCase()}`,
    subtitle:
      phase === 'prefill'
        ? 'Tokens/s, higher is better; prompt tokens over the time from prompt ids to the logits of the last position'
        : `Tokens/s, higher is better; average over the first ${cell.generate} generated tokens`,
    axisTitle: 'prompt length in tokens, by batch size',
    categories: grid.categories,
    series: grid.series,
    reference: null,
    formatValue: formatCompact,
    notes: [
      ...grid.gapNotes,
      ...conditionNotes(report, rows, methodNote(report.manifest.repetitions, 'Medians')),
    ],
  };
}
