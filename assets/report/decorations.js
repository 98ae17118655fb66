// What chart.js has no notion of: error bars, values over bars, letters of gaps, and headings under groups.

import { currentTheme } from './theme.js';

export const VALUE_FONT = '11px system-ui, sans-serif';
export const GROUP_FONT = '600 12px system-ui, sans-serif';
export const LABEL_FONT = '12px system-ui, sans-serif';
/** Under the axis: bracket, heading, title of the axis. */
export const GROUP_BAND = 46;

/**
 * @param {PageFigure} figure
 * @param {PageFigure['series']} series Those that are drawn.
 * @returns {import('chart.js').Plugin<'bar'>}
 */
export const decorations = (figure, series) => ({
  id: 'decorations',
  afterDatasetsDraw(chart) {
    const theme = currentTheme();
    drawGroups(chart, figure, theme);
    const upright = anyUpright(chart, series);
    for (const [place, { marks }] of series.entries()) {
      if (!chart.isDatasetVisible(place)) continue;
      for (const [index, bar] of chart.getDatasetMeta(place).data.entries()) {
        const mark = marks[index];
        const { width } = /** @type {{ width: number }} */ (/** @type {unknown} */ (bar));
        if (typeof mark === 'string') drawGap(chart, bar.x, mark, theme);
        else if (mark !== undefined) drawMark(chart, bar.x, width, mark, theme, upright);
      }
    }
  },
});

/**
 * @param {BarChart} chart
 * @param {PageFigure} figure
 * @param {Theme} theme
 */
function drawGroups(chart, { categories, axis }, theme) {
  const { ctx, scales } = chart;
  const x = /** @type {import('chart.js').Scale} */ (scales.x);
  const width = x.width / categories.length;
  const top = x.bottom + 3;
  ctx.save();
  ctx.textAlign = 'center';
  let start = 0;
  for (let end = 1; end <= categories.length; end++) {
    const name = categories[start]?.[0] ?? '';
    if (categories[end]?.[0] === name) continue;
    const left = x.left + start * width;
    const right = x.left + end * width;
    ctx.fillStyle = theme.axis;
    ctx.fillRect(left + 4, top, right - left - 8, 1);
    ctx.font = GROUP_FONT;
    ctx.fillStyle = theme.text;
    ctx.fillText(name, (left + right) / 2, top + 17);
    if (start > 0) {
      ctx.fillStyle = theme.grid;
      ctx.fillRect(Math.round(left), chart.chartArea.top, 1, top - chart.chartArea.top);
    }
    start = end;
  }
  ctx.font = VALUE_FONT;
  ctx.fillStyle = theme.muted;
  const seen = chart.canvas.closest('.plot-scroll')?.clientWidth ?? x.right;
  ctx.fillText(axis, (x.left + Math.min(x.right, seen)) / 2, top + 36);
  ctx.restore();
}

/**
 * @param {BarChart} chart
 * @param {number} centre
 * @param {number} width
 * @param {Bar} mark
 * @param {Theme} theme
 * @param {boolean} upright
 */
function drawMark(chart, centre, width, mark, theme, upright) {
  const [, value, low, high] = mark;
  const { ctx, scales } = chart;
  const y = /** @type {import('chart.js').Scale} */ (scales.y);
  let top = y.getPixelForValue(value);
  ctx.save();
  if (low !== null && high !== null) {
    const [from, to] = [y.getPixelForValue(high), y.getPixelForValue(low)];
    const cap = Math.min(4, width / 4);
    for (const [colour, thickness] of /** @type {const} */ ([
      [theme.paper, 3],
      [theme.title, 1.25],
    ])) {
      ctx.strokeStyle = colour;
      ctx.lineWidth = thickness;
      ctx.beginPath();
      ctx.moveTo(centre, from);
      ctx.lineTo(centre, to);
      for (const end of [from, to]) {
        ctx.moveTo(centre - cap, end);
        ctx.lineTo(centre + cap, end);
      }
      ctx.stroke();
    }
    top = Math.min(top, from);
  }
  drawValue(ctx, centre, top - 5, width, mark, theme, upright);
  ctx.restore();
}

/** @param {Bar} mark */
export const uprightText = ([label, , , , speedup]) => (speedup === null ? label : `${label}  (${speedup})`);

/**
 * Whether a bar is too narrow for its label to lie over it.
 * @param {CanvasRenderingContext2D} ctx
 * @param {Bar} mark
 * @param {number} width Of the bar.
 */
export function isUpright(ctx, [label, , , , speedup], width) {
  ctx.font = `600 ${VALUE_FONT}`;
  return Math.max(ctx.measureText(label).width, ctx.measureText(speedup ?? '').width) > width;
}

/**
 * All labels of a chart lie the same way.
 * @param {BarChart} chart
 * @param {PageFigure['series']} series
 */
const anyUpright = (chart, series) =>
  series.some(({ marks }, place) => {
    const [bar] = chart.getDatasetMeta(place).data;
    const { width = 0 } = /** @type {{ width?: number }} */ (/** @type {unknown} */ (bar ?? {}));
    return (
      chart.isDatasetVisible(place) &&
      marks.some((mark) => typeof mark !== 'string' && isUpright(chart.ctx, mark, width))
    );
  });

/**
 * Over its bar, or upwards; bars thinner than letters show theirs in the tooltip.
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} x
 * @param {number} bottom
 * @param {number} width
 * @param {Bar} mark
 * @param {Theme} theme
 * @param {boolean} upright
 */
function drawValue(ctx, x, bottom, width, mark, theme, upright) {
  if (width < 11) return;
  const [label, , , , speedup] = mark;
  ctx.font = VALUE_FONT;
  ctx.fillStyle = theme.title;
  ctx.strokeStyle = theme.paper;
  ctx.lineWidth = 3;
  ctx.lineJoin = 'round';
  if (!upright) {
    ctx.textAlign = 'center';
    for (const [above, text] of (speedup === null ? [label] : [label, speedup]).entries()) {
      if (above === 1) ctx.font = `600 ${VALUE_FONT}`;
      ctx.strokeText(text, x, bottom - above * 13);
      ctx.fillText(text, x, bottom - above * 13);
    }
    return;
  }
  ctx.translate(x, bottom);
  ctx.rotate(-Math.PI / 2);
  ctx.textBaseline = 'middle';
  ctx.strokeText(uprightText(mark), 0, 0);
  ctx.fillText(uprightText(mark), 0, 0);
}

/**
 * @param {BarChart} chart
 * @param {number} x
 * @param {string} letter
 * @param {Theme} theme
 */
function drawGap(chart, x, letter, theme) {
  const { ctx, scales } = chart;
  const base = /** @type {import('chart.js').Scale} */ (scales.y).getPixelForValue(0);
  ctx.save();
  ctx.font = VALUE_FONT;
  ctx.textAlign = 'center';
  ctx.fillStyle = theme.muted;
  ctx.fillText(letter, x, base - 5);
  ctx.restore();
}
