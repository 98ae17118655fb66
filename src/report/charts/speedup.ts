import { FEWEST_FOR_INTERVAL } from '../../stats/hodges-lehmann.ts';
import { formatRatio } from '../../units.ts';
import { baselineTitle, PHASE_TITLE } from '../describe.ts';
import { fileStem } from '../file-name.ts';
import { groupBy } from '../group-by.ts';
import type { Report, SpeedupRow } from '../model.ts';
import { type Chart, type Figure, hasBars } from './figure.ts';
import { makeGrid } from './grid.ts';
import { conditionNotes, methodNote } from './notes.ts';
import { placeOf } from './scope.ts';

/** Speedup over a baseline: one figure a model, precision, device, baseline and phase. */
export const speedup: Chart = {
  figures: (report) =>
    [...groupBy(report.speedups, keyOf).values()].map((rows) => figure(report, rows)).filter(hasBars),
};

const keyOf = ({ cell, phase, baseline }: SpeedupRow): string =>
  JSON.stringify([
    cell.model,
    cell.precision,
    cell.device,
    cell.generate,
    phase,
    baseline.engine,
    baseline.title,
    baseline.precision,
  ]);

function figure(report: Report, speedups: readonly SpeedupRow[]): Figure {
  const { cell, modelTitle, phase, baseline } = speedups[0]!;
  const samePrecision = baseline.precision === cell.precision;
  const against = baselineTitle(speedups[0]!);
  const grid = makeGrid(
    report.manifest,
    speedups.map((row) => ({
      ...placeOf(report, row),
      outcome:
        row.speedup === null
          ? { reason: row.reason ?? 'no reason' }
          : { value: row.speedup, interval: row.interval, hatched: false, speedup: null },
    })),
  );
  const runs = new Set(speedups.map(({ run }) => run));
  const rows = report.rows.filter(
    (row) =>
      runs.has(row.run) &&
      row.cell.model === cell.model &&
      row.cell.device === cell.device &&
      (row.cell.precision === cell.precision ||
        (row.cell.engine === baseline.engine && row.cell.precision === baseline.precision)),
  );
  const estimate =
    report.manifest.repetitions >= FEWEST_FOR_INTERVAL
      ? 'Hodges–Lehmann estimates of pairs'
      : 'Ratios of medians';
  return {
    model: cell.model,
    facets: { precision: cell.precision, device: cell.device, phase, kind: `Speedup over ${against}` },
    stem: fileStem([
      cell.model,
      cell.precision,
      cell.device,
      phase === 'prefill' ? 'prompt' : 'generation',
      'speedup-over',
      baseline.engine,
      ...(samePrecision ? [] : [baseline.precision]),
    ]),
    title: `${PHASE_TITLE[phase]} against ${against} – ${modelTitle}, ${cell.precision}, ${cell.device.toUpperCase()}`,
    subtitle: `Speedup at the same batch size and prompt length, higher is better${
      phase === 'decode' ? `; first ${cell.generate} generated tokens` : ''
    }`,
    axisTitle: 'prompt length in tokens, by batch size',
    categories: grid.categories,
    series: grid.series,
    reference: { value: 1, label: `1× = ${against}` },
    formatValue: formatRatio,
    unit: 'ratio',
    notes: [
      ...grid.gapNotes,
      ...conditionNotes(report, rows, methodNote(report.manifest.repetitions, estimate), phase),
    ],
  };
}
