// The key of a chart as buttons: it wraps where the chart scrolls, and the keyboard hides and shows series.

import { barFill, fillOf } from './patterns.js';
import { currentTheme } from './theme.js';

/**
 * @param {number} colour
 * @param {boolean} crossed
 */
function swatch(colour, crossed) {
  const theme = currentTheme();
  const canvas = document.createElement('canvas');
  const scale = 2;
  canvas.width = 16 * scale;
  canvas.height = 14 * scale;
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  ctx.scale(scale, scale);
  ctx.fillStyle = barFill(ctx, colour, theme, crossed);
  ctx.strokeStyle = fillOf(colour, theme).edge;
  ctx.fillRect(0, 0, 16, 14);
  ctx.strokeRect(0.5, 0.5, 15, 13);
  return canvas;
}

/**
 * There before the chart is, so that nothing below moves when it is drawn.
 * @param {Element} place
 * @param {() => BarChart | undefined} chartOf
 * @param {PageFigure['series']} series
 */
export function showLegend(place, chartOf, series) {
  place.replaceChildren(
    ...series.map((one, index) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.ariaPressed = 'true';
      button.title = `Hide or show ${one.name}`;
      button.append(swatch(one.colour, one.imported), one.name);
      button.addEventListener('click', () => {
        const chart = chartOf();
        if (chart === undefined) return;
        const shown = !chart.isDatasetVisible(index);
        chart.setDatasetVisibility(index, shown);
        button.ariaPressed = String(shown);
        chart.update();
      });
      return button;
    }),
  );
}
