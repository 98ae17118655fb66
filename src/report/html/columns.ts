import { PHASES, type Phase } from '../../schema/vocabulary.ts';
import { PHASE_RATE } from '../../stats/rates.ts';
import { bytesToMiB, formatNumber, formatRatio, formatSignificant, nsToMs } from '../../units.ts';
import { baselineTitle, describePrompt } from '../describe.ts';
import { groupBy } from '../group-by.ts';
import { oneLine } from '../markdown.ts';
import { type CellRow, type Interval, type Report, rowKey, type SpeedupRow } from '../model.ts';

/** A column of the page's table of results: what it shows is what it is sorted by. */
export interface ResultColumn {
  readonly title: string;
  readonly numeric: boolean;
  /** Hidden when the reader asks for the other phase. */
  readonly phase: Phase | null;
  readonly text: (row: CellRow) => string;
}

const RATE_TITLE: Readonly<Record<Phase, string>> = {
  prefill: 'Prompt tokens/s',
  decode: 'Generation tokens/s',
};
const SPEEDUP_TITLE: Readonly<Record<Phase, string>> = { prefill: 'Prompt', decode: 'Generation' };

const text = (title: string, of: (row: CellRow) => string): ResultColumn => ({
  title,
  numeric: false,
  phase: null,
  text: of,
});
const number = (
  title: string,
  of: (row: CellRow) => number | null | undefined,
  phase: Phase | null = null,
  format: (value: number) => string = formatSignificant,
): ResultColumn => ({
  title,
  numeric: true,
  phase,
  text: (row) => {
    const value = of(row);
    return value == null ? '' : format(value);
  },
});

const whole = (value: number): string => formatNumber(value);
const ms = (ns: number | null | undefined): number | null => (ns == null ? null : nsToMs(ns));

function rateColumns(phase: Phase): ResultColumn[] {
  return [
    number(RATE_TITLE[phase], (row) => row.measured?.rates[PHASE_RATE[phase]], phase),
    {
      title: '95 % interval',
      numeric: true,
      phase,
      text: (row) => formatInterval(row.measured?.intervals[phase] ?? null),
    },
  ];
}

const formatInterval = (interval: Interval | null): string =>
  interval === null ? '' : interval.map(formatSignificant).join('–');

/** One column a baseline and phase; an empty one says nothing, and is left out. */
function speedupColumns(speedups: readonly SpeedupRow[]): ResultColumn[] {
  const compared = speedups.filter(({ speedup }) => speedup !== null);
  return [...groupBy(compared, baselineTitle)].flatMap(([baseline, rows]) =>
    PHASES.map((phase) => {
      const own = new Map(
        rows.filter((row) => row.phase === phase).map((row) => [rowKey(row), row.speedup!]),
      );
      return number(
        `${SPEEDUP_TITLE[phase]} speedup over ${baseline}`,
        (row) => own.get(rowKey(row)),
        phase,
        formatRatio,
      );
    }),
  );
}

export function resultColumns({ rows, speedups }: Report): ResultColumn[] {
  const columns = [
    text('Model', ({ cell }) => cell.model),
    text('Engine', ({ engineTitle }) => engineTitle),
    text('Machine', ({ run }) => run.label ?? ''),
    text('Precision', ({ cell }) => cell.precision),
    text('Device', ({ cell }) => cell.device),
    number('Batch', ({ cell }) => cell.batchSize, null, whole),
    {
      title: 'Prompt',
      numeric: true,
      phase: null,
      text: ({ cell }: CellRow) => describePrompt(cell.promptLength),
    },
    text('Status', ({ status }) => status),
    ...PHASES.flatMap(rateColumns),
    ...speedupColumns(speedups),
    number('First token, ms', (row) => ms(row.measured?.rates.timeToFirstTokenNs), 'prefill'),
    number('Token p50, ms', (row) => ms(row.measured?.rates.interTokenP50Ns), 'decode'),
    number('Token p99, ms', (row) => ms(row.measured?.rates.interTokenP99Ns), 'decode'),
    number('Peak memory, MiB', ({ preparation }) => bytes(preparation?.peakRssBytes), null, whole),
    number('Load, ms', ({ loadNs }) => ms(loadNs)),
    number('Compile, ms', ({ preparation }) => ms(preparation?.compileNs) || null),
    text('Parity', ({ parity }) => parity),
    text('Flags', ({ flags }) => [...new Set(flags.map(({ name }) => name))].join(', ')),
    text('Reason', ({ reason }) => oneLine(reason ?? '')),
  ];
  // A column that is empty in every row only widens the table.
  return columns.filter((column) => rows.some((row) => column.text(row) !== ''));
}

const bytes = (value: number | null | undefined): number | null => (value == null ? null : bytesToMiB(value));
