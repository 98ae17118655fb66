import { PHASES, type Phase } from '../../schema/vocabulary.ts';
import { PHASE_RATE } from '../../stats/rates.ts';
import { formatBytes, formatPercent, formatSignificant } from '../../units.ts';
import { PHASE_TITLE } from '../describe.ts';
import { fileStem } from '../file-name.ts';
import { groupBy } from '../group-by.ts';
import type { CellRow, Interval, Measured, Report, ReportRun } from '../model.ts';
import { type Chart, type Figure, hasBars } from './figure.ts';
import { makeGrid } from './grid.ts';
import { conditionNotes, methodNote } from './notes.ts';
import { placeOf } from './scope.ts';

/** How near each engine comes to what the machine can do: arithmetic in prefill, memory traffic in decode. */
export const utilisation: Chart = {
  figures: (report) =>
    [
      ...groupBy(report.rows.filter(underRoof), ({ cell }) =>
        JSON.stringify([cell.model, cell.precision, cell.device]),
      ).values(),
    ]
      .flatMap((rows) => PHASES.map((phase) => figure(report, rows, phase)))
      .filter(hasBars),
};

/** Another tool's figures, and machines whose roof is not known, would only leave room empty. */
const underRoof = ({ imported, run }: CellRow): boolean =>
  imported === null && !!run.manifest.environment.roofline;

/** Prefill multiplies each weight with many tokens, decode with one a sequence. */
const METRIC = { prefill: 'mfu', decode: 'mbu' } as const satisfies Record<Phase, string>;

const WORDS: Readonly<Record<Phase, { title: string; subtitle: string }>> = {
  prefill: {
    title: 'Use of arithmetic in prefill (MFU)',
    subtitle:
      "Operations that the prompt takes, over what the machine's fastest matrix product does in the time; 100 % is the roof",
  },
  decode: {
    title: 'Use of memory bandwidth in generation (MBU)',
    subtitle:
      'Weights, keys and values that a step must read, over what the machine reads in the time; 100 % is the roof',
  },
};

function figure(report: Report, rows: readonly CellRow[], phase: Phase): Figure {
  const { cell, modelTitle } = rows[0]!;
  const grid = makeGrid(
    report.manifest,
    rows.map((row) => {
      const { measured, status, reason } = row;
      const value = measured?.utilisations?.[phase][METRIC[phase]] ?? null;
      const why = measured === null ? `${status}: ${reason}` : 'loads no weights';
      return {
        ...placeOf(report, row),
        outcome:
          value === null
            ? { reason: why }
            : {
                value,
                interval: scaled(measured!, phase, value),
                hatched: status === 'mismatch',
                speedup: null,
              },
      };
    }),
  );
  return {
    model: cell.model,
    facets: { precision: cell.precision, device: cell.device, phase, kind: 'Use of the machine' },
    stem: fileStem([
      cell.model,
      cell.precision,
      cell.device,
      phase === 'prefill' ? 'prompt-mfu' : 'generation-mbu',
    ]),
    title: `${WORDS[phase].title} – ${modelTitle}, ${cell.precision}, ${cell.device.toUpperCase()}`,
    subtitle: WORDS[phase].subtitle,
    axisTitle: 'prompt length in tokens, by batch size',
    categories: grid.categories,
    series: grid.series,
    reference: { value: 1, label: '100 % = the roof measured on this machine' },
    formatValue: (share) => formatPercent(share, share < 0.1 ? 1 : 0),
    unit: 'share',
    notes: [
      ...grid.gapNotes,
      ...[...new Set(rows.map(({ run }) => run))].map((run) => roofNote(run, phase)),
      ...conditionNotes(
        report,
        rows,
        methodNote(
          report.manifest.repetitions,
          `From the medians of throughput (${PHASE_TITLE[phase].toLowerCase()})`,
        ),
        // Of every engine, what is necessary is counted, whatever it computes beside.
        null,
      ),
    ],
  };
}

/** A utilisation is its rate times what depends on the cell alone, and so is its interval. */
function scaled({ rates, intervals }: Measured, phase: Phase, value: number): Interval | null {
  const interval = intervals[phase];
  const times = value / rates[PHASE_RATE[phase]];
  return interval === null ? null : [interval[0] * times, interval[1] * times];
}

function roofNote({ manifest, label }: ReportRun, phase: Phase): string {
  const roofline = manifest.environment.roofline!;
  const whose = label === null ? 'Roof' : `Roof of ${label}`;
  const giga = (rate: number) => formatSignificant(rate / 1e9);
  if (phase === 'prefill') {
    const rates = Object.entries(roofline.matrix).flatMap(([element, rate]) =>
      rate === null ? [] : `${element} ${giga(rate.operationsPerSecond)}`,
    );
    return `${whose}: matrix products with ${roofline.threads} threads, ${rates.join(', ')} GFLOP/s; the fastest type fit for the precision counts.`;
  }
  const points = roofline.bandwidth.map(
    ({ workingSetBytes, bytesPerSecond }) => `${formatBytes(workingSetBytes)} ${giga(bytesPerSecond)}`,
  );
  return `${whose}: memory bandwidth with ${roofline.threads} threads by working set, ${points.join(', ')} GB/s.`;
}
