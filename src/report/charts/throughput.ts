import { PHASES, type Phase } from '../../schema/vocabulary.ts';
import { PHASE_RATE } from '../../stats/rates.ts';
import { formatCompact, formatRatio } from '../../units.ts';
import { baselineTitle, PHASE_TITLE } from '../describe.ts';
import { fileStem } from '../file-name.ts';
import { importedRate } from '../imported.ts';
import { type CellRow, type Report, rowKey, type SpeedupRow } from '../model.ts';
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

/** Speedups over the first baseline of each run, by row: they stand over the bars. */
function firstSpeedups(
  { speedups }: Report,
  rows: readonly CellRow[],
  phase: Phase,
): ReadonlyMap<string, SpeedupRow> {
  const own = new Set(rows.map(rowKey));
  return new Map(
    speedups
      .filter((row) => {
        const [first] = row.run.manifest.baselines;
        return (
          row.phase === phase &&
          row.speedup !== null &&
          row.baseline.engine === first?.engine &&
          row.baseline.precision === (first.precision ?? row.cell.precision) &&
          own.has(rowKey(row))
        );
      })
      .map((row) => [rowKey(row), row]),
  );
}

const ratioOf = (row: SpeedupRow | undefined): string | null =>
  row?.speedup == null ? null : formatRatio(row.speedup);

function outcomeOf(row: CellRow, phase: Phase, speedup: SpeedupRow | undefined): Entry['outcome'] {
  const { measured, status, reason } = row;
  const imported = importedRate(row, phase);
  if (imported !== null) return { value: imported, interval: null, hatched: true, speedup: null };
  if (measured === null) return { reason: `${status}: ${reason}` };
  return {
    value: measured.rates[PHASE_RATE[phase]],
    interval: measured.intervals[phase],
    hatched: status === 'mismatch',
    speedup: ratioOf(speedup),
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
  const speedups = firstSpeedups(report, rows, phase);
  const [compared] = speedups.values();
  const over = compared === undefined ? '' : `; ×: speedup over ${baselineTitle(compared)}`;
  const grid = makeGrid(
    report.manifest,
    rows.map((row) => ({
      ...placeOf(report, row),
      outcome: outcomeOf(row, phase, speedups.get(rowKey(row))),
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
    subtitle: `${subtitle(rows, phase)}${over}`,
    axisTitle: 'prompt length in tokens, by batch size',
    categories: grid.categories,
    series: grid.series,
    reference: null,
    formatValue: formatCompact,
    unit: 'tokens/s',
    notes: [
      ...grid.gapNotes,
      ...conditionNotes(report, rows, methodNote(report.manifest.repetitions, 'Medians'), phase),
    ],
  };
}
