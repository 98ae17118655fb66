import { cellKey } from '../../schema/cell.ts';
import { PHASES, type Phase } from '../../schema/vocabulary.ts';
import { PHASE_RATE } from '../../stats/rates.ts';
import { formatCompact, formatRatio } from '../../units.ts';
import { baselineTitle, PHASE_TITLE } from '../describe.ts';
import { fileStem } from '../file-name.ts';
import { groupBy } from '../group-by.ts';
import type { CellRow, Report, SpeedupRow } from '../model.ts';
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

/** Speedups over the sweep's first baseline, by cell: they stand over the bars. */
function firstSpeedups(
  { manifest, speedups }: Report,
  rows: readonly CellRow[],
  phase: Phase,
): ReadonlyMap<string, SpeedupRow> {
  const [first] = manifest.baselines;
  const own = new Set(rows.map(({ cell }) => cellKey(cell)));
  return new Map(
    speedups
      .filter(
        (row) =>
          row.phase === phase &&
          row.speedup !== null &&
          row.baseline.engine === first?.engine &&
          row.baseline.precision === (first.precision ?? row.cell.precision) &&
          own.has(cellKey(row.cell)),
      )
      .map((row) => [cellKey(row.cell), row]),
  );
}

function figure(report: Report, rows: readonly CellRow[], phase: Phase): Figure {
  const { cell, modelTitle } = rows[0]!;
  const speedups = firstSpeedups(report, rows, phase);
  const [compared] = speedups.values();
  const over = compared === undefined ? '' : `; ×: speedup over ${baselineTitle(compared)}`;
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
              speedup: ratioOf(speedups.get(cellKey(own))),
            },
    })),
  );
  return {
    model: cell.model,
    facets: { precision: cell.precision, device: cell.device, phase, kind: 'Throughput' },
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
        ? `Tokens/s, higher is better; prompt tokens over the time from prompt ids to the logits of the last position${over}`
        : `Tokens/s, higher is better; average over the first ${cell.generate} generated tokens${over}`,
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

const ratioOf = (row: SpeedupRow | undefined): string | null =>
  row === undefined ? null : formatRatio(row.speedup!);
