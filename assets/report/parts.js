// How wide a chart must be for its letters, and the parts of one that no canvas or paper could hold.

import { GROUP_FONT, LABEL_FONT } from './decorations.js';
import { printing } from './theme.js';

/** Pixels beside the categories: the value axis. */
const SCALE = 70;
/** A bar must be wide enough for its value written upwards. */
const BAR = 17;
/** With two pixels of the screen for each of these, a canvas is within what browsers can draw. */
const WIDEST_ON_SCREEN = 8000;
/** A page of paper has no scrollbar: charts are shrunk to its width, and stay legible. */
const WIDEST_ON_PAPER = 900;

const measuring = /** @type {CanvasRenderingContext2D} */ (document.createElement('canvas').getContext('2d'));

/**
 * @param {string} text
 * @param {string} font
 */
function widthOf(text, font) {
  measuring.font = font;
  return measuring.measureText(text).width;
}

/**
 * What a category cannot go below without text on text.
 * @param {PageFigure['categories']} categories
 * @param {number} series
 */
function categoryWidth(categories, series) {
  const label = Math.max(
    ...categories.flatMap(([, ...lines]) => lines.map((line) => widthOf(line, LABEL_FONT) + 10)),
  );
  /** @type {Map<string, number>} */
  const members = new Map();
  for (const [group = ''] of categories) members.set(group, (members.get(group) ?? 0) + 1);
  const heading = Math.max(
    ...[...members].map(([group, count]) => (widthOf(group, GROUP_FONT) + 14) / count),
  );
  return Math.max(label, heading, series * BAR + 8);
}

/**
 * Least width of the whole chart.
 * @param {PageFigure} figure
 * @param {number} series Those that are drawn.
 */
export const leastWidth = ({ categories }, series) =>
  Math.ceil(categories.length * categoryWidth(categories, series)) + SCALE;

/**
 * Where parts begin: at the start of a group where there is one within reach.
 * @param {PageFigure['categories']} categories
 * @param {number} most
 */
function cutPoints(categories, most) {
  const cuts = [0];
  for (let end = most; end < categories.length; end = /** @type {number} */ (cuts.at(-1)) + most) {
    const from = /** @type {number} */ (cuts.at(-1));
    let cut = end;
    while (cut > from && categories[cut]?.[0] === categories[cut - 1]?.[0]) cut--;
    cuts.push(cut > from ? cut : end);
  }
  return cuts;
}

/**
 * @param {PageFigure} figure
 * @returns {PageFigure[]}
 */
export function partsOf(figure) {
  const { categories, series } = figure;
  const widest = printing ? WIDEST_ON_PAPER : WIDEST_ON_SCREEN;
  const most = Math.floor((widest - SCALE) / categoryWidth(categories, series.length));
  if (categories.length <= most) return [figure];
  const cuts = cutPoints(categories, Math.max(1, most));
  return cuts.map((start, i) => ({
    ...figure,
    title: `${figure.title} (${i + 1} of ${cuts.length})`,
    categories: categories.slice(start, cuts[i + 1]),
    series: series.map((one) => ({ ...one, marks: one.marks.slice(start, cuts[i + 1]) })),
    notes: [...figure.notes, 'The parts of this chart have different scales.'],
  }));
}
