import type { SKRSContext2D } from '@napi-rs/canvas';
import type { Fill, Theme } from './palette.ts';

/** Strokes and fills that a canvas of pixels and one of SVG both draw the same way: no pattern fills, no shadows. */

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A colour mixed with the paper's. */
function tint(colour: string, paper: string, share: number): string {
  const channel = (at: number) => {
    const [ink, ground] = [colour, paper].map((text) => Number.parseInt(text.slice(at, at + 2), 16));
    return Math.round(ground! + (ink! - ground!) * share)
      .toString(16)
      .padStart(2, '0');
  };
  return `#${channel(1)}${channel(3)}${channel(5)}`;
}

/** Diagonal lines, computed to end at the edges; falling ones are the mirror image. */
function diagonals(ctx: SKRSContext2D, box: Box, spacing: number, rising: boolean): void {
  const { x, y, width, height } = box;
  const across = (u: number) => (rising ? x + u : x + width - u);
  for (let offset = spacing / 2; offset < width + height; offset += spacing) {
    // The line u + v = offset, with u from one side and v from the top.
    const near = Math.max(0, offset - height);
    const far = Math.min(width, offset);
    ctx.moveTo(across(near), y + offset - near);
    ctx.lineTo(across(far), y + offset - far);
  }
}

function levels(ctx: SKRSContext2D, { x, y, width, height }: Box): void {
  for (let offset = 4; offset < height; offset += 5) {
    ctx.moveTo(x, y + height - offset);
    ctx.lineTo(x + width, y + height - offset);
  }
}

function uprights(ctx: SKRSContext2D, { x, y, width, height }: Box): void {
  for (let offset = 3; offset < width; offset += 5) {
    ctx.moveTo(x + offset, y);
    ctx.lineTo(x + offset, y + height);
  }
}

/** In rows from the bottom, every other row shifted by half a step. */
function dots(ctx: SKRSContext2D, { x, y, width, height }: Box): void {
  for (let row = 0; row * 5 + 4 < height; row++) {
    for (let offset = row % 2 === 0 ? 3 : 6; offset + 1 < width; offset += 6) {
      ctx.rect(x + offset - 1, y + height - row * 5 - 4, 2, 2);
    }
  }
}

function drawPattern(ctx: SKRSContext2D, box: Box, { pattern, line: colour }: Fill): void {
  if (pattern === 'solid') return;
  ctx.lineWidth = 1.3;
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.beginPath();
  if (pattern === 'rising' || pattern === 'falling') diagonals(ctx, box, 7, pattern === 'rising');
  else if (pattern === 'level') levels(ctx, box);
  else if (pattern === 'upright') uprights(ctx, box);
  else dots(ctx, box);
  if (pattern === 'dots') ctx.fill();
  else ctx.stroke();
}

/** A bar or a swatch of a legend. */
export function fillBar(ctx: SKRSContext2D, box: Box, fill: Fill): void {
  ctx.fillStyle = fill.fill;
  ctx.fillRect(box.x, box.y, box.width, box.height);
  drawPattern(ctx, box, fill);
  outline(ctx, box, fill.edge);
}

/** What was measured, but cannot be compared: pale, crossed, with an outline. */
export function crossBar(ctx: SKRSContext2D, box: Box, colour: string, { paper }: Theme): void {
  ctx.fillStyle = tint(colour, paper, 0.15);
  ctx.fillRect(box.x, box.y, box.width, box.height);
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.1;
  ctx.beginPath();
  diagonals(ctx, box, 7, true);
  diagonals(ctx, box, 7, false);
  ctx.stroke();
  outline(ctx, box, colour);
}

function outline(ctx: SKRSContext2D, { x, y, width, height }: Box, colour: string): void {
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1;
  ctx.strokeRect(x + 0.5, y + 0.5, Math.max(0, width - 1), Math.max(0, height - 1));
}

export function line(ctx: SKRSContext2D, fromX: number, fromY: number, toX: number, toY: number): void {
  ctx.beginPath();
  ctx.moveTo(fromX, fromY);
  ctx.lineTo(toX, toY);
  ctx.stroke();
}

export interface TextStyle {
  readonly font: string;
  readonly colour: string;
  readonly align?: 'left' | 'center' | 'right';
  readonly baseline?: 'alphabetic' | 'middle' | 'top' | 'bottom';
  /** Written upwards. */
  readonly upright?: boolean;
  /** Colour around the letters, for text that lies over lines. */
  readonly halo?: string;
}

export function write(ctx: SKRSContext2D, text: string, x: number, y: number, style: TextStyle): void {
  ctx.save();
  ctx.font = style.font;
  ctx.textAlign = style.align ?? 'left';
  ctx.textBaseline = style.baseline ?? 'alphabetic';
  ctx.translate(x, y);
  if (style.upright) ctx.rotate(-Math.PI / 2);
  if (style.halo !== undefined) {
    ctx.strokeStyle = style.halo;
    ctx.lineWidth = 3;
    ctx.lineJoin = 'round';
    ctx.strokeText(text, 0, 0);
  }
  ctx.fillStyle = style.colour;
  ctx.fillText(text, 0, 0);
  ctx.restore();
}
