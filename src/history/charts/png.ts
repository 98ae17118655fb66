import { createCanvas, type SKRSContext2D } from '@napi-rs/canvas';
import { line, write } from '../../report/charts/drawing.ts';
import { font, loadFont, printable } from '../../report/charts/text.ts';
import { INK } from './ink.ts';
import { dotCorners, type Scene, type Shape, type Stroke } from './scene.ts';

const PIXEL_RATIO = 2;

/** The scene in pixels, in the bundled font. */
export function scenePng({ width, height, shapes }: Scene): Buffer {
  loadFont();
  const canvas = createCanvas(width * PIXEL_RATIO, height * PIXEL_RATIO);
  const ctx = canvas.getContext('2d');
  ctx.scale(PIXEL_RATIO, PIXEL_RATIO);
  ctx.fillStyle = INK.paper;
  ctx.fillRect(0, 0, width, height);
  for (const shape of shapes) draw(ctx, shape);
  const bytes = canvas.toBuffer('image/png');
  // Pixels lie outside the heap that the collector watches: given back at once.
  canvas.width = 1;
  canvas.height = 1;
  return bytes;
}

function draw(ctx: SKRSContext2D, shape: Shape): void {
  ctx.save();
  switch (shape.kind) {
    case 'path':
      useStroke(ctx, shape.stroke);
      ctx.beginPath();
      for (const [i, [x, y]] of shape.points.entries()) i === 0 ? ctx.moveTo(x, y) : ctx.lineTo(x, y);
      ctx.stroke();
      break;
    case 'dot':
      useStroke(ctx, shape.stroke);
      ctx.fillStyle = shape.fill;
      ctx.beginPath();
      if (shape.form === 'circle') ctx.arc(shape.x, shape.y, shape.radius, 0, 2 * Math.PI);
      else {
        for (const [x, y] of dotCorners(shape.form, shape.x, shape.y, shape.radius)) ctx.lineTo(x, y);
        ctx.closePath();
      }
      ctx.fill();
      ctx.stroke();
      break;
    case 'cross': {
      const { x, y, size, stroke } = shape;
      useStroke(ctx, stroke);
      line(ctx, x - size, y - size, x + size, y + size);
      line(ctx, x - size, y + size, x + size, y - size);
      break;
    }
    case 'text': {
      const { x, y, text, size, weight, colour, align, halo } = shape;
      write(ctx, printable(text), x, y, {
        font: font(size, weight),
        colour,
        align,
        ...(halo ? { halo: INK.paper } : {}),
      });
      break;
    }
  }
  ctx.restore();
}

function useStroke(ctx: SKRSContext2D, { colour, width, dash, opacity }: Stroke): void {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.setLineDash([...(dash ?? [])]);
  ctx.globalAlpha = opacity ?? 1;
}
