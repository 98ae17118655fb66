import type { Cell } from '../../schema/cell.ts';
import type { Manifest } from '../../schema/manifest.ts';
import { formatPercent } from '../../units.ts';
import { oneLine } from '../markdown.ts';
import type { Interval } from '../model.ts';
import type { Category, Mark, Series } from './figure.ts';

/** A cell's place in a chart: a value, or why there is none. */
export interface Entry {
  readonly cell: Cell;
  readonly engineTitle: string;
  readonly row: string;
  /** Its machine, where the chart shows several: their groups stand apart. */
  readonly machine?: string | null;
  readonly imported?: boolean;
  readonly outcome:
    | {
        readonly value: number;
        readonly interval: Interval | null;
        readonly hatched: boolean;
        readonly speedup: string | null;
      }
    | { readonly reason: string };
}

export interface Grid {
  readonly categories: readonly Category[];
  readonly series: readonly Series[];
  /** What each letter of a gap stands for. */
  readonly gapNotes: readonly string[];
}

/** Distinct reasons that a chart explains one by one; with more, one engine's gaps share a letter. */
const MOST_REASONS = 8;
const LONGEST_REASON = 240;

const shapeKey = ({ cell: { batchSize, promptLength }, machine = null }: Entry): string =>
  JSON.stringify([machine, batchSize, promptLength.length, promptLength.spread]);

/** One bar colour: an engine of one name may be another one in another run. */
const seriesKey = (name: string, title: string): string => JSON.stringify([name, title]);

/** Categories (batch size, then prompt length) × engines, in the manifest's order of engines. */
export function makeGrid(manifest: Manifest, entries: readonly Entry[]): Grid {
  const shapes = new Map(entries.map((entry) => [shapeKey(entry), entry]));
  const machines = [...new Set(entries.map(({ machine = null }) => machine))];
  const ordered = [...shapes.values()].sort(
    ({ cell: a, machine: here = null }, { cell: b, machine: there = null }) =>
      machines.indexOf(here) - machines.indexOf(there) ||
      a.batchSize - b.batchSize ||
      a.promptLength.length - b.promptLength.length ||
      a.promptLength.spread - b.promptLength.spread,
  );
  const keyOf = (entry: Entry): string => seriesKey(entry.cell.engine, entry.engineTitle);
  const places = new Map(entries.map((entry) => [`${keyOf(entry)}\n${shapeKey(entry)}`, entry]));
  const present = new Map(entries.map((entry) => [keyOf(entry), entry]));
  const gaps = letterGaps(entries, ordered.length);
  const series = manifest.engines.flatMap(({ name, title }, colour): Series[] => {
    const own = present.get(seriesKey(name, title));
    if (own === undefined) return [];
    const marks = ordered.map((shape): Mark => {
      const entry = places.get(`${seriesKey(name, title)}\n${shapeKey(shape)}`);
      if (entry === undefined) return { kind: 'gap', letter: NOT_IN_SWEEP };
      if ('value' in entry.outcome) return { kind: 'bar', ...entry.outcome, row: entry.row };
      return { kind: 'gap', letter: gaps.letterOf(entry) };
    });
    return [{ engine: name, name: title, colour, imported: own.imported ?? false, marks }];
  });
  const leftOut = series.some(({ marks }) =>
    marks.some((mark) => mark.kind === 'gap' && mark.letter === NOT_IN_SWEEP),
  );
  return {
    categories: ordered.map(categoryOf),
    series,
    gapNotes: [...gaps.notes, ...(leftOut ? [`[${NOT_IN_SWEEP}] not in the sweep`] : [])],
  };
}

const NOT_IN_SWEEP = '·';

function categoryOf({ cell, machine = null }: Entry): Category {
  const { length, spread } = cell.promptLength;
  const batch = `batch ${cell.batchSize}`;
  return {
    group: machine === null ? batch : `${machine}: ${batch}`,
    label: spread === 0 ? [String(length)] : [String(length), `ragged ${formatPercent(spread, 0)}`],
  };
}

/** One letter a reason, in order of appearance; engines that share it stand together. */
function letterGaps(entries: readonly Entry[], shapes: number) {
  const missing = entries.filter((entry) => 'reason' in entry.outcome);
  const reasonOf = ({ outcome }: Entry): string => ('reason' in outcome ? outcome.reason : '');
  const coarse = (entry: Entry) => entry.engineTitle;
  const keyOf = new Set(missing.map(reasonOf)).size > MOST_REASONS ? coarse : reasonOf;

  const groups = new Map<
    string,
    { letter: string; first: Entry; count: number; engines: Set<string>; reasons: Set<string> }
  >();
  for (const entry of missing) {
    const key = keyOf(entry);
    const group = groups.get(key) ?? {
      letter: letter(groups.size),
      first: entry,
      count: 0,
      engines: new Set(),
      reasons: new Set(),
    };
    group.count++;
    group.engines.add(entry.engineTitle);
    group.reasons.add(reasonOf(entry));
    groups.set(key, group);
  }
  return {
    letterOf: (entry: Entry): string => groups.get(keyOf(entry))!.letter,
    notes: [...groups.values()].map(({ letter: mark, first, count, engines, reasons }) => {
      const where = count === shapes * engines.size ? ', all cells' : '';
      const more = reasons.size > 1 ? `; ${reasons.size - 1} more reasons in summary.csv` : '';
      return `[${mark}] ${[...engines].join(', ')}${where}: ${oneLine(reasonOf(first), LONGEST_REASON)}${more}`;
    }),
  };
}

/** a … z, aa, ab, … */
function letter(index: number): string {
  const last = String.fromCharCode(97 + (index % 26));
  return index < 26 ? last : letter(Math.floor(index / 26) - 1) + last;
}
