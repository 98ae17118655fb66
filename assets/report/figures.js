// The list of charts: a few at first, more when asked for, each drawn when it comes into view.

import { drawChart, shownSeries } from './chart.js';
import { data, element } from './data.js';
import { figureFits } from './filters.js';
import { showLegend } from './legend.js';
import { leastWidth, partsOf } from './parts.js';
import { printing } from './theme.js';

const FIGURES_AT_ONCE = 6;
/** Pixels that a plot has where two figures stand side by side. */
const COLUMN_WIDTH = 560;
let shownFigures = FIGURES_AT_ONCE;

/** @type {Map<Element, PageFigure>} */
const waiting = new Map();
/** @type {Map<HTMLCanvasElement, { chart: BarChart, figure: PageFigure }>} */
const drawn = new Map();

const seen = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) drawWaiting(target);
  },
  { rootMargin: '400px' },
);

/** @param {Element} node */
const plotOf = (node) => /** @type {HTMLCanvasElement | null} */ (node.querySelector('.plot canvas'));

/**
 * @param {Element} node
 * @param {PageFigure} figure
 */
function fillLegend(node, figure) {
  const [place, canvas] = [node.querySelector('.legend'), plotOf(node)];
  if (place === null || canvas === null) return;
  showLegend(place, () => drawn.get(canvas)?.chart, shownSeries(figure));
}

/** @param {Element} target */
function drawWaiting(target) {
  const figure = waiting.get(target);
  const canvas = plotOf(target);
  if (figure === undefined || canvas === null) return;
  waiting.delete(target);
  seen.unobserve(target);
  drawn.set(canvas, { chart: drawChart(canvas, figure), figure });
}

/**
 * @param {string} name
 * @param {string} className
 * @param {string} text
 */
function made(name, className, text) {
  const node = document.createElement(name);
  node.className = className;
  node.textContent = text;
  return node;
}

/** @param {PageFigure} figure */
function figureElement(figure) {
  const node = document.createElement('figure');
  const scroll = made('div', 'plot-scroll', '');
  const plot = made('div', 'plot', '');
  const canvas = document.createElement('canvas');
  canvas.setAttribute('role', 'img');
  canvas.setAttribute(
    'aria-label',
    `${figure.title}. ${figure.subtitle}. The table of results has the same figures.`,
  );
  const least = leastWidth(figure, shownSeries(figure).length);
  plot.style.minWidth = `${least}px`;
  if (least > COLUMN_WIDTH) node.className = 'wide';
  plot.append(canvas);
  scroll.tabIndex = 0;
  scroll.setAttribute('role', 'group');
  scroll.ariaLabel = figure.title;
  scroll.append(plot);
  const notes = made('details', 'notes', '');
  notes.append(
    made('summary', '', 'Conditions'),
    ...figure.notes.filter((note) => !isGapNote(note)).map((note) => made('p', '', note)),
  );
  const caption = document.createElement('figcaption');
  if (figure.reference !== null) caption.append(made('p', '', `Dashed line: ${figure.reference.label}`));
  const crossed = figure.series.filter(({ marks }) =>
    marks.some((mark) => typeof mark !== 'string' && mark[6] === 1),
  );
  if (crossed.some(({ imported }) => imported)) {
    caption.append(
      made('p', '', 'Crossed out and imported: printed by another tool, by a count of its own.'),
    );
  }
  if (crossed.some(({ imported }) => !imported)) {
    caption.append(
      made('p', '', 'Crossed out: measured, but the engine does not compute what the reference computes.'),
    );
  }
  caption.append(...figure.notes.filter(isGapNote).map((note) => made('p', '', note)), notes);
  node.append(
    made('h3', '', figure.title),
    made('p', 'muted', figure.subtitle),
    made('div', 'legend', ''),
    scroll,
    caption,
  );
  fillLegend(node, figure);
  return node;
}

/** @param {string} note */
const isGapNote = (note) => /^\[[a-z·]+\] /.test(note);

/** @param {number} [count] */
export function showFigures(count = FIGURES_AT_ONCE) {
  shownFigures = count;
  for (const { chart } of drawn.values()) chart.destroy();
  drawn.clear();
  seen.disconnect();
  waiting.clear();
  const place = document.getElementById('figures');
  if (place === null) return;
  const fitting = data.figures.filter(figureFits);
  place.replaceChildren(
    ...fitting
      .slice(0, shownFigures)
      .flatMap(partsOf)
      .map((figure) => {
        const node = figureElement(figure);
        waiting.set(node, figure);
        return node;
      }),
  );
  for (const node of waiting.keys()) seen.observe(node);
  element('no-figures').hidden = fitting.length > 0;
  const more = element('more-figures');
  more.hidden = fitting.length <= shownFigures;
  more.textContent = `Show more charts (${fitting.length - shownFigures} left)`;
}

let onPaper = false;

/** The same charts in other colours, or all of them for paper. */
export function repaint() {
  if (printing !== onPaper) {
    onPaper = printing;
    showFigures(shownFigures);
    if (printing) for (const node of [...waiting.keys()]) drawWaiting(node);
    return;
  }
  for (const [node, figure] of waiting) fillLegend(node, figure);
  for (const [canvas, { chart, figure }] of drawn) {
    chart.destroy();
    drawn.set(canvas, { chart: drawChart(canvas, figure), figure });
    const node = canvas.closest('figure');
    if (node !== null) fillLegend(node, figure);
  }
}

export function startFigures() {
  document.getElementById('more-figures')?.addEventListener('click', () => {
    showFigures(shownFigures + FIGURES_AT_ONCE);
  });
  showFigures();
}
