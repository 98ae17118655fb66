import { PHASES, type Phase } from '../../schema/vocabulary.ts';
import { PHASE_RATE } from '../../stats/rates.ts';
import { formatCompact } from '../../units.ts';
import { PHASE_TITLE } from '../describe.ts';
import { fileStem } from '../file-name.ts';
import { importedRate } from '../imported.ts';
import type { CellRow, Report } from '../model.ts';
import { type Chart, type Figure, hasBars } from './figure.ts';
import { type Entry, makeGrid } from './grid.ts';
import { conditionNotes, methodNote } from './notes.ts';
import { comparable, placeOf } from './scope.ts';

/** Tokens per second of every engine over batch sizes and prompt lengths: one figure a model, precision, device and phase. */
export const throughput: Chart = {
  figures: (report) =>
    comparable(report.rows)
      .flatMap((rows) =>
        PHASES.flatMap((phase) => {
          const shown = rows.filter((row) => row.imported === null || importedRate(row, phase) !== null);
          return shown.length === 0 ? [] : figure(report, shown, phase);
        }),
      )
      .filter(hasBars),
};

function outcomeOf(row: CellRow, phase: Phase): Entry['outcome'] {
  const { measured, status, reason } = row;
  const imported = importedRate(row, phase);
  if (imported !== null) return { value: imported, interval: null, hatched: true };
  if (measured === null) return { reason: `${status}: ${reason}` };
  return {
    value: measured.rates[PHASE_RATE[phase]],
    interval: measured.intervals[phase],
    hatched: status === 'mismatch',
  };
}

const COUNT: Readonly<Record<Phase, (cell: CellRow['cell']) => string>> = {
  prefill: () => '; prompt tokens over the time from prompt ids to the logits of the last position',
  decode: ({ generate }) => `; average over the first ${generate} generated tokens`,
};

function subtitle(rows: readonly CellRow[], phase: Phase): string {
  const own = rows.find(({ imported }) => imported === null);
  const others = rows.some(({ imported }) => imported !== null);
  const count = own === undefined ? '' : COUNT[phase](own.cell);
  return `Tokens/s, higher is better${count}${others ? '; imported figures: each by the count of its tool' : ''}`;
}

function figure(report: Report, rows: readonly CellRow[], phase: Phase): Figure {
  const { cell, modelTitle } = rows[0]!;
  const grid = makeGrid(
    report.manifest,
    rows.map((row) => ({ ...placeOf(report, row), outcome: outcomeOf(row, phase) })),
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
    subtitle: subtitle(rows, phase),
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
