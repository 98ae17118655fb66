import { formatRatio } from '../../../units.ts';
import { describeShape, PHASE_TITLE } from '../../describe.ts';
import type { Interval } from '../../model.ts';
import { leftOutByRule } from '../../sentences.ts';
import { table } from '../table.ts';
import type { Section } from './section.ts';

const range = (interval: Interval | null): string =>
  interval === null ? '' : `${formatRatio(interval[0])} – ${formatRatio(interval[1])}`;

/** What "on average" and "up to" rest on. */
export const averages: Section = {
  id: 'speedups',
  title: 'Speedups',
  render({ report, facets }) {
    const told = report.averages.filter((row) => !leftOutByRule(row));
    if (told.length === 0) return null;
    const rows = told.map((row) => ({
      facets: { ...facets.of(row), phase: facets.phase(row.phase) },
      cells: [
        row.modelTitle,
        row.precision,
        PHASE_TITLE[row.phase],
        row.engineTitle,
        row.baseline.precision === row.precision
          ? row.baseline.title
          : `${row.baseline.title} ${row.baseline.precision}`,
        row.average === null ? '–' : formatRatio(row.average),
        range(row.interval),
        row.lowest === null ? '–' : formatRatio(row.lowest.speedup!),
        row.highest === null ? '–' : formatRatio(row.highest.speedup!),
        row.highest === null ? (row.reasons[0] ?? '') : describeShape(row.highest.cell),
        `${row.compared.length} of ${row.cells}`,
        row.parity,
      ],
    }));
    return table(
      'Geometric means over the cells that both engines have, from rounds in which both took part',
      [
        'Model',
        'Precision',
        'Phase',
        'Engine',
        'Over',
        'Average',
        '95 % interval',
        'Lowest',
        'Up to',
        'At',
        'Cells',
        'Parity',
      ],
      rows,
      [5, 6, 7, 8, 10],
    );
  },
};
