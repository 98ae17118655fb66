import { formatCompact } from '../../units.ts';
import { engineName, shortTime, signedChange } from '../describe.ts';
import type { History, Line, Point } from '../model.ts';
import { INK, type Ink } from './ink.ts';
import type { Shape } from './scene.ts';

export const PANEL = { height: 206 } as const;
const HEAD = 26;
const FOOT = 20;
const SCALE = 46;
/** Values lie at least this share apart from the middle: a quiet line must not look like a storm. */
const LEAST_SPAN = 0.04;
const TICKS = 4;
const LABEL = 11;

export interface PanelInput {
  readonly place: { readonly x: number; readonly y: number; readonly width: number };
  readonly heading: string;
  readonly lines: readonly Line[];
  /** 0 … 1 across the panel, by index of the run. */
  readonly positions: ReadonlyMap<number, number>;
  /** Of the runs in those positions, ISO. */
  readonly times: readonly string[];
  readonly history: History;
  readonly inks: ReadonlyMap<string, Ink>;
}

/** One shape of work: a line for each engine over the runs of a machine. */
export function panelShapes(input: PanelInput): Shape[] {
  const { place, heading, lines, positions, times } = input;
  const left = place.x + SCALE;
  const right = place.x + place.width - 6;
  const top = place.y + HEAD;
  const bottom = place.y + PANEL.height - FOOT;
  const [low, high] = range(lines);
  const xOf = (run: number) => left + 8 + positions.get(run)! * (right - left - 16);
  const yOf = (rate: number) => bottom - ((rate - low) / (high - low)) * (bottom - top);
  const shapes: Shape[] = [
    {
      kind: 'text',
      x: place.x,
      y: place.y + 8,
      text: heading,
      size: 13,
      weight: 600,
      colour: INK.text,
      align: 'left',
    },
  ];
  for (const tick of ticks(low, high)) {
    const y = Math.round(yOf(tick)) + 0.5;
    shapes.push({
      kind: 'path',
      points: [
        [left, y],
        [right, y],
      ],
      stroke: { colour: INK.grid, width: 1 },
    });
    shapes.push(label(left - 6, y + 4, tick === 0 ? '0' : formatCompact(tick).replace(/\.0+$/, ''), 'right'));
  }
  shapes.push({
    kind: 'path',
    points: [
      [left, bottom + 0.5],
      [right, bottom + 0.5],
    ],
    stroke: { colour: INK.axis, width: 1 },
  });
  shapes.push(...dates(times, left + 8, right - 8, bottom + 15));
  for (const line of lines) shapes.push(...lineShapes(line, input, xOf, yOf, bottom));
  shapes.push(...changeShapes(input, xOf, top, bottom));
  return shapes;
}

const label = (x: number, y: number, text: string, align: 'left' | 'center' | 'right'): Shape => ({
  kind: 'text',
  x,
  y,
  text,
  size: LABEL,
  weight: 400,
  colour: INK.muted,
  align,
});

function range(lines: readonly Line[]): [number, number] {
  const rates = lines.flatMap(({ points }) => points.flatMap(({ rate }) => rate ?? []));
  const [least, most] = [Math.min(...rates), Math.max(...rates)];
  const middle = (least + most) / 2;
  const half = Math.max(((most - least) / 2) * 1.15, middle * LEAST_SPAN);
  return [Math.max(0, middle - half), middle + half];
}

/** Round numbers within the range: 1, 2, 2.5 or 5 times a power of ten apart. */
function ticks(low: number, high: number): number[] {
  const rough = (high - low) / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5].find((factor) => factor * power >= rough) ?? 10);
  const found: number[] = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) found.push(i * step);
  return found;
}

/** The first and the last run's day, and days between where there is room; with the hour where all is one day. */
function dates(times: readonly string[], left: number, right: number, y: number): Shape[] {
  const oneDay = times[0]!.slice(0, 10) === times.at(-1)!.slice(0, 10);
  const shown = (iso: string) => (oneDay ? shortTime(iso).slice(5) : iso.slice(0, 10));
  if (times.length === 1) return [label((left + right) / 2, y, shown(times[0]!), 'center')];
  const count = Math.min(times.length, 4);
  return Array.from({ length: count }, (_, i) => {
    const index = Math.round((i * (times.length - 1)) / (count - 1));
    const align = i === 0 ? 'left' : i === count - 1 ? 'right' : 'center';
    const edge = i === 0 ? -8 : i === count - 1 ? 8 : 0;
    return label(left + edge + (index / (times.length - 1)) * (right - left), y, shown(times[index]!), align);
  });
}

function lineShapes(
  line: Line,
  { history, inks }: PanelInput,
  xOf: (run: number) => number,
  yOf: (rate: number) => number,
  bottom: number,
): Shape[] {
  const { colour, dash, form } = inks.get(engineName(line))!;
  const dashes = dash ? { dash } : {};
  const shapes: Shape[] = [];
  const told = (point: Point, what: string) => {
    const { id, at } = history.runs[point.run]!;
    return `${engineName(line)}: ${what}, ${id}, ${shortTime(at)} UTC`;
  };
  for (const [i, { first, last, level }] of line.segments.entries()) {
    const own = line.points
      .slice(first, last + 1)
      .flatMap(({ run, rate }) => (rate === null ? [] : [[xOf(run), yOf(rate)] as const]));
    const [from, to] = [xOf(line.points[first]!.run), xOf(line.points[last]!.run)];
    const y = yOf(level);
    shapes.push({
      kind: 'path',
      points:
        i === 0 || from < to
          ? [
              [from - 4, y],
              [to + 4, y],
            ]
          : [
              [from - 6, y],
              [to + 6, y],
            ],
      stroke: { colour, width: 6, opacity: 0.28 },
    });
    shapes.push({ kind: 'path', points: own, stroke: { colour, width: 1.25, ...dashes } });
  }
  for (const point of line.points) {
    const x = xOf(point.run);
    if (point.rate === null) {
      const title = told(point, `${point.status}${point.reason === null ? '' : `: ${point.reason}`}`);
      shapes.push({ kind: 'cross', x, y: bottom - 6, size: 3, stroke: { colour, width: 1.5 }, title });
      continue;
    }
    const flags = point.flags.length > 0 ? ` (${point.flags.join(', ')})` : '';
    const title = told(point, `${formatCompact(point.rate)} tokens/s${flags}`);
    const fill = flags === '' ? colour : INK.paper;
    shapes.push({
      kind: 'dot',
      form,
      x,
      y: yOf(point.rate),
      radius: 2.6,
      fill,
      stroke: { colour, width: 1.25 },
      title,
    });
  }
  return shapes;
}

/** A dashed line before the first run of the new level, and by how much; labels of one place stand below each other. */
function changeShapes(
  { lines, inks }: PanelInput,
  xOf: (run: number) => number,
  top: number,
  bottom: number,
): Shape[] {
  const taken = new Map<number, number>();
  return lines.flatMap((line) =>
    line.changes.flatMap(({ point, ratio }): Shape[] => {
      const { colour } = inks.get(engineName(line))!;
      const after = xOf(line.points[point]!.run);
      const before = xOf(line.points[point - 1]!.run);
      const x = Math.round((before + after) / 2) + 0.5;
      const row = taken.get(x) ?? 0;
      taken.set(x, row + 1);
      const text = `${ratio < 1 ? '↓' : '↑'} ${signedChange(ratio)}`;
      return [
        {
          kind: 'path',
          points: [
            [x, top - 4],
            [x, bottom],
          ],
          stroke: { colour, width: 1.25, dash: [4, 3] },
        },
        {
          kind: 'text',
          x,
          y: top - 7 + row * 13,
          text,
          size: LABEL,
          weight: 600,
          colour: INK.title,
          align: 'center',
          halo: true,
        },
      ];
    }),
  );
}
