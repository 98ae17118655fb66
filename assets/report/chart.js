// One figure of the report as a chart that answers to the pointer.

import { data, textOf } from './data.js';
import { decorations, GROUP_BAND, isUpright, uprightText, VALUE_FONT } from './decorations.js';
import { fits } from './filters.js';
import { barFill, fillOf } from './patterns.js';
import { currentTheme } from './theme.js';

/** Pixels between upper edge and axis of a plot of the height that page.css gives it. */
const PLOT_HEIGHT = 250;

/** Round numbers of the value axis. */
const FORMAT_TICK = /** @type {Record<PageFigure['unit'], (value: number) => string>} */ ({
  'tokens/s': (rate) =>
    rate.toLocaleString('en-US', { notation: rate >= 10000 ? 'compact' : 'standard' }).replace('K', 'k'),
  ratio: (ratio) => `${Number(ratio.toPrecision(4)).toLocaleString('en-US')}×`,
  share: (share) => `${Number((share * 100).toPrecision(4))} %`,
});

/**
 * The share of the highest value that the axis needs beyond it, so that the label over the tallest bar is whole.
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} barWidth
 * @param {PageFigure['series']} series
 */
function labelsRoom(ctx, barWidth, series) {
  const marks = series.flatMap((one) => one.marks.filter((mark) => typeof mark !== 'string'));
  ctx.font = VALUE_FONT;
  const lines = marks.some(([, , , , speedup]) => speedup !== null) ? 2 : 1;
  const upright = marks.some((mark) => isUpright(ctx, mark, barWidth));
  const longest = Math.max(0, ...marks.map((mark) => ctx.measureText(uprightText(mark)).width));
  const room = (upright ? longest : lines * 13) + 12;
  return PLOT_HEIGHT / (PLOT_HEIGHT - Math.min(room, PLOT_HEIGHT / 2));
}

/**
 * @param {PageFigure['series']} series
 * @param {PageFigure['reference']} reference
 */
function highest(series, reference) {
  const values = series.flatMap(({ marks }) =>
    marks.map((mark) => (typeof mark === 'string' ? 0 : Math.max(mark[1], mark[3] ?? 0))),
  );
  return Math.max(...values, reference?.value ?? 0);
}

/**
 * What the tooltip says of a bar besides its value: the cells of its row that are about it.
 * @param {Bar} mark
 */
function detailsOf(mark) {
  const row = /** @type {PageRow} */ (data.rows[mark[5]]);
  const lines = [];
  if (mark[2] !== null && mark[3] !== null)
    lines.push(`95 %: ${mark[2].toLocaleString('en-US')} – ${mark[3].toLocaleString('en-US')}`);
  for (const [index, { title }] of data.columns.entries()) {
    const text = textOf(row, index);
    if (text !== '' && (title === 'Flags' || (title === 'Parity' && text !== 'match')))
      lines.push(`${title}: ${text}`);
  }
  return lines;
}

/** @param {PageFigure} figure */
export const shownSeries = (figure) => figure.series.filter(({ engine }) => fits('engine', engine));

/**
 * @param {HTMLCanvasElement} canvas
 * @param {PageFigure} figure
 * @returns {BarChart}
 */
export function drawChart(canvas, figure) {
  const theme = currentTheme();
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const series = shownSeries(figure);
  const font = { family: 'system-ui, sans-serif', size: 12 };
  const { reference } = figure;
  const width = canvas.parentElement?.clientWidth ?? 0;
  const barWidth = Math.min(92, ((width - 70) / figure.categories.length / series.length) * 0.86 * 0.92);
  return new Chart(canvas, {
    type: 'bar',
    data: {
      labels: figure.categories.map(([, ...lines]) => lines),
      datasets: series.map(({ name, colour, marks }) => ({
        label: name,
        data: marks.map((mark) => (typeof mark === 'string' ? null : mark[1])),
        backgroundColor: marks.map((mark) =>
          barFill(ctx, colour, theme, typeof mark !== 'string' && mark[6] === 1),
        ),
        borderColor: fillOf(colour, theme).edge,
        borderWidth: 1,
        categoryPercentage: 0.86,
        barPercentage: 0.92,
        maxBarThickness: 92,
      })),
    },
    options: {
      animation: false,
      maintainAspectRatio: false,
      layout: { padding: { bottom: GROUP_BAND } },
      interaction: { mode: 'nearest', axis: 'xy', intersect: true },
      scales: {
        x: {
          border: { color: theme.axis },
          grid: { display: false },
          ticks: { color: theme.text, font, autoSkip: false, maxRotation: 0 },
        },
        y: {
          beginAtZero: true,
          max: highest(series, reference) * labelsRoom(ctx, barWidth, series),
          border: { display: false },
          grid: {
            color: ({ tick }) =>
              reference !== null && tick?.value === reference.value ? theme.axis : theme.grid,
          },
          ticks: {
            color: theme.muted,
            font,
            maxTicksLimit: 7,
            includeBounds: false,
            callback: (value) => (Number(value) === 0 ? '0' : FORMAT_TICK[figure.unit](Number(value))),
          },
        },
      },
      plugins: {
        legend: { display: false },
        tooltip: {
          backgroundColor: theme.title,
          titleColor: theme.paper,
          bodyColor: theme.paper,
          footerColor: theme.paper,
          footerFont: { weight: 'normal' },
          displayColors: false,
          callbacks: {
            title: ([item]) => {
              const [group = '', ...label] = figure.categories[item?.dataIndex ?? 0] ?? [];
              return `${group}, prompt ${label.join(', ')}`;
            },
            label: ({ dataset, datasetIndex, dataIndex }) => {
              const mark = series[datasetIndex]?.marks[dataIndex];
              if (mark === undefined || typeof mark === 'string') return '';
              return `${dataset.label}: ${mark[0]}${figure.unit === 'tokens/s' ? ' tokens/s' : ''}${mark[4] === null ? '' : `, ${mark[4]}`}`;
            },
            footer: ([item]) => {
              const mark = item && series[item.datasetIndex]?.marks[item.dataIndex];
              return mark === undefined || typeof mark === 'string' ? [] : detailsOf(mark);
            },
          },
        },
      },
    },
    // The line first: labels of bars may lie on it, and have to be read.
    plugins: [referenceLine(reference), decorations(figure, series)],
  });
}

/**
 * @param {PageFigure['reference']} reference
 * @returns {import('chart.js').Plugin<'bar'>}
 */
const referenceLine = (reference) => ({
  id: 'reference',
  afterDatasetsDraw(chart) {
    if (reference === null) return;
    const { ctx, chartArea, scales } = chart;
    const y = /** @type {import('chart.js').Scale} */ (scales.y).getPixelForValue(reference.value);
    ctx.save();
    ctx.setLineDash([5, 3]);
    for (const [colour, thickness] of /** @type {const} */ ([
      [currentTheme().paper, 3.5],
      [currentTheme().title, 1.5],
    ])) {
      ctx.strokeStyle = colour;
      ctx.lineWidth = thickness;
      ctx.beginPath();
      ctx.moveTo(chartArea.left, y);
      ctx.lineTo(chartArea.right, y);
      ctx.stroke();
    }
    ctx.restore();
  },
});
