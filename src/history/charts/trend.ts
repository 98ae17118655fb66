import { cutToWidth, font, printable, textWidth, wrap } from '../../report/charts/text.ts';
import { describeShape, PHASE_TITLE } from '../../report/describe.ts';
import { fileStem } from '../../report/file-name.ts';
import { groupBy } from '../../report/group-by.ts';
import { workKey } from '../../schema/cell.ts';
import { engineName, paritySentence, shortTime } from '../describe.ts';
import type { History, Line } from '../model.ts';
import { INK, type Ink, inkOf } from './ink.ts';
import { PANEL, panelShapes } from './panel.ts';
import type { Scene, Shape } from './scene.ts';

/** A chart: the lines of one model, precision, device and phase on one machine, a panel for each shape of work. */
export interface TrendChart {
  /** File name without extension. */
  readonly stem: string;
  readonly title: string;
  readonly machine: string;
  readonly scene: Scene;
}

const MARGIN = 24;
const WIDTH = 960;
const GAP = 28;
const COLUMNS = 2;
/** Panels of one image; wider sweeps get several. */
const MOST_PANELS = 20;
const LEGEND = 12.5;
/** A page shows SVG text in a font of the reader's, which may be as much wider than the one that is measured here. */
const FONT_RESERVE = 1.18;

/** All charts of a history, the machines one after the other. */
export function trendCharts(history: History): TrendChart[] {
  const inks = new Map([...new Set(history.lines.map(engineName))].map((name, i) => [name, inkOf(i)]));
  const groups = groupBy(history.lines, ({ machine, cell, phase }) =>
    JSON.stringify([machine, cell.model, cell.precision, cell.device, phase]),
  );
  const order = history.machines.map(({ id }) => id);
  const charts = [...groups.values()].flatMap((lines) => chartsOf(history, lines, inks));
  return withOwnNames(charts.sort((a, b) => order.indexOf(a.machine) - order.indexOf(b.machine)));
}

function chartsOf(history: History, lines: readonly Line[], inks: ReadonlyMap<string, Ink>): TrendChart[] {
  const panels = [...groupBy(lines, ({ cell }) => workKey(cell)).values()];
  const parts = Math.ceil(panels.length / MOST_PANELS);
  return Array.from({ length: parts }, (_, part) => {
    const own = panels.slice(part * MOST_PANELS, (part + 1) * MOST_PANELS);
    const { cell, phase, machine, modelTitle } = lines[0]!;
    const title =
      `${PHASE_TITLE[phase]} over time – ${modelTitle}, ${cell.precision}, ${cell.device.toUpperCase()}` +
      (parts > 1 ? ` (${part + 1} of ${parts})` : '');
    return {
      stem: fileStem([
        cell.model,
        cell.precision,
        cell.device,
        phase === 'prefill' ? 'prompt' : 'generation',
        'trend',
        ...(history.machines.length > 1 ? [machine] : []),
        ...(parts > 1 ? [String(part + 1)] : []),
      ]),
      title,
      machine,
      scene: sceneOf(history, own, title, inks),
    };
  });
}

function sceneOf(
  history: History,
  panels: readonly (readonly Line[])[],
  title: string,
  inks: ReadonlyMap<string, Ink>,
): Scene {
  const shapes: Shape[] = [];
  const inner = WIDTH - 2 * MARGIN;
  const text = (words: string, x: number, y: number, size: number, colour: string, weight: 400 | 600 = 400) =>
    shapes.push({ kind: 'text', x, y, text: words, size, weight, colour, align: 'left' });
  let y = MARGIN + 14;
  for (const row of wrap(printable(title), font(19, 600), inner / FONT_RESERVE)) {
    text(row, MARGIN, y, 19, INK.title, 600);
    y += 25;
  }
  const runs = [...new Set(panels.flat().flatMap(({ points }) => points.map(({ run }) => run)))].sort(
    (a, b) => a - b,
  );
  const times = runs.map((run) => history.runs[run]!.at);
  const subtitle =
    'Tokens/s of each run, higher is better; a wide line is the level between two changes; the scale need not start at zero';
  for (const row of wrap(printable(subtitle), font(13), inner / FONT_RESERVE)) {
    text(row, MARGIN, y - 3, 13, INK.muted);
    y += 18;
  }
  y = legend(shapes, [...new Set(panels.flat().map(engineName))], inks, y + 12) + 26;

  const width = (inner - (COLUMNS - 1) * GAP) / COLUMNS;
  const positions = new Map(runs.map((run, i) => [run, runs.length === 1 ? 0.5 : i / (runs.length - 1)]));
  for (const [i, lines] of panels.entries()) {
    const place = {
      x: MARGIN + (i % COLUMNS) * (width + GAP),
      y: y + Math.floor(i / COLUMNS) * (PANEL.height + GAP),
      width,
    };
    shapes.push(
      ...panelShapes({
        place,
        heading: describeShape(lines[0]!.cell),
        lines,
        positions,
        times,
        history,
        inks,
      }),
    );
  }
  y += Math.ceil(panels.length / COLUMNS) * (PANEL.height + GAP);
  const machine = history.machines.find(({ id }) => id === panels[0]![0]!.machine);
  for (const note of notes(machine?.title ?? '', paritySentence(runs.map((run) => history.runs[run]!)))) {
    for (const row of wrap(printable(note), font(11), inner / FONT_RESERVE)) {
      text(row, MARGIN, y, 11, INK.muted);
      y += 15.5;
    }
  }
  const described = `${runs.length} runs from ${shortTime(times[0]!)} to ${shortTime(times.at(-1)!)} UTC`;
  return { width: WIDTH, height: Math.ceil(y + 8), title, description: described, shapes };
}

const notes = (machine: string, stamp: string | null): string[] => [
  ...(stamp === null ? [] : [stamp]),
  `Machine: ${machine}.`,
  'Runs stand side by side in order of time. Hollow: the run carries a flag. Cross: the cell has no figure there. ' +
    'Dashed: a change point (E-divisive means, permutation p ≤ .01), with the change of level.',
];

/** @returns the lower edge of the last row. */
function legend(
  shapes: Shape[],
  names: readonly string[],
  inks: ReadonlyMap<string, Ink>,
  top: number,
): number {
  let x = MARGIN;
  let y = top;
  for (const name of names) {
    const words = cutToWidth(printable(name), font(LEGEND), WIDTH / 2);
    const needed = 30 + FONT_RESERVE * textWidth(words, font(LEGEND)) + 20;
    if (x > MARGIN && x + needed > WIDTH - MARGIN) {
      x = MARGIN;
      y += 21;
    }
    const { colour, dash, form } = inks.get(name)!;
    shapes.push({
      kind: 'path',
      points: [
        [x, y - 4.5],
        [x + 24, y - 4.5],
      ],
      stroke: { colour, width: 1.5, ...(dash ? { dash } : {}) },
    });
    const stroke = { colour, width: 1.25 };
    shapes.push({ kind: 'dot', form, x: x + 12, y: y - 4.5, radius: 3.6, fill: colour, stroke, title: name });
    shapes.push({
      kind: 'text',
      x: x + 30,
      y,
      text: words,
      size: LEGEND,
      weight: 400,
      colour: INK.text,
      align: 'left',
    });
    x += needed;
  }
  return y;
}

/** Two charts whose names happen to join to the same text get a number. */
function withOwnNames(charts: readonly TrendChart[]): TrendChart[] {
  const taken = new Set<string>();
  return charts.map((chart) => {
    let stem = chart.stem;
    for (let copy = 2; taken.has(stem); copy++) stem = `${chart.stem}-${copy}`;
    taken.add(stem);
    return { ...chart, stem };
  });
}
