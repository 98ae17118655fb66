// The fills of charts/drawing.ts, as patterns that a browser repeats.

import { data } from './data.js';

/**
 * @param {number} colour Place of the engine in the sweep.
 * @param {Theme} theme
 */
export function fillOf(colour, theme) {
  const { length } = theme.series;
  const series = /** @type {Theme['series'][number]} */ (theme.series[colour % length]);
  const pattern = data.patterns[(colour + Math.floor(colour / length)) % data.patterns.length] ?? 'solid';
  return { ...series, pattern };
}

/** Lines of each pattern in a tile of 6 pixels, as from x, y to x, y. */
const TILE_LINES = /** @type {Record<string, number[][]>} */ ({
  rising: [
    [-1, 7, 7, -1],
    [-1, 1, 1, -1],
    [5, 7, 7, 5],
  ],
  falling: [
    [-1, -1, 7, 7],
    [5, -1, 7, 1],
    [-1, 5, 1, 7],
  ],
  level: [[0, 3, 6, 3]],
  upright: [[3, 0, 3, 6]],
});

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {string} ground
 * @param {string} ink
 * @param {readonly string[]} patterns
 */
function tile(ctx, ground, ink, patterns) {
  const size = 6;
  const scale = 2;
  const canvas = document.createElement('canvas');
  canvas.width = size * scale;
  canvas.height = size * scale;
  const own = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  own.scale(scale, scale);
  own.fillStyle = ground;
  own.fillRect(0, 0, size, size);
  own.strokeStyle = ink;
  own.fillStyle = ink;
  own.lineWidth = 1.2;
  for (const pattern of patterns) {
    for (const [fromX = 0, fromY = 0, toX = 0, toY = 0] of TILE_LINES[pattern] ?? []) {
      own.beginPath();
      own.moveTo(fromX, fromY);
      own.lineTo(toX, toY);
      own.stroke();
    }
    if (pattern === 'dots') {
      own.fillRect(0.5, 0.5, 2, 2);
      own.fillRect(3.5, 3.5, 2, 2);
    }
  }
  const made = /** @type {CanvasPattern} */ (ctx.createPattern(canvas, 'repeat'));
  made.setTransform(new DOMMatrix().scale(1 / scale));
  return made;
}

/**
 * What a bar is filled with: colour and pattern, or crossed out where it cannot be compared.
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} colour
 * @param {Theme} theme
 * @param {boolean} crossed
 */
export function barFill(ctx, colour, theme, crossed) {
  const { fill, edge, line, pattern } = fillOf(colour, theme);
  if (crossed) return tile(ctx, theme.paper, edge, ['rising', 'falling']);
  return pattern === 'solid' ? fill : tile(ctx, fill, line, [pattern]);
}
