import type { SKRSContext2D } from '@napi-rs/canvas';
import { fillOf, INK } from './palette.ts';

/** Strokes and fills that a canvas of pixels and one of SVG both draw the same way: no patterns, no shadows. */

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A colour mixed with white. */
function tint(colour: string, share: number): string {
  const channel = (at: number) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16);
    return Math.round(255 - (255 - value) * share)
      .toString(16)
      .padStart(2, '0');
  };
  return `#${channel(1)}${channel(3)}${channel(5)}`;
}

/** Diagonal lines, computed to end at the edges. */
function hatch(ctx: SKRSContext2D, { x, y, width, height }: Box, colour: string, spacing = 6): void {
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.4;
  ctx.beginPath();
  for (let offset = spacing / 2; offset < width + height; offset += spacing) {
    // The line u + v = offset, with u from the left and v from the top.
    const left = Math.max(0, offset - height);
    const right = Math.min(width, offset);
    ctx.moveTo(x + left, y + offset - left);
    ctx.lineTo(x + right, y + offset - right);
  }
  ctx.stroke();
}

function stripe(ctx: SKRSContext2D, { x, y, width, height }: Box): void {
  ctx.strokeStyle = INK.paper;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  for (let offset = 4; offset < height; offset += 5) {
    ctx.moveTo(x, y + height - offset);
    ctx.lineTo(x + width, y + height - offset);
  }
  ctx.stroke();
}

/** A bar or a swatch of a legend. */
export function fillBar(ctx: SKRSContext2D, box: Box, colourIndex: number, hatched: boolean): void {
  const { colour, striped } = fillOf(colourIndex);
  if (hatched) {
    hatchBar(ctx, box, colour);
    return;
  }
  ctx.fillStyle = colour;
  ctx.fillRect(box.x, box.y, box.width, box.height);
  if (striped) stripe(ctx, box);
}

/** What was measured, but cannot be compared. */
export function hatchBar(ctx: SKRSContext2D, box: Box, colour: string): void {
  ctx.fillStyle = tint(colour, 0.18);
  ctx.fillRect(box.x, box.y, box.width, box.height);
  hatch(ctx, box, colour);
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
  /** White around the letters, for text that lies over lines. */
  readonly halo?: boolean;
}

export function write(ctx: SKRSContext2D, text: string, x: number, y: number, style: TextStyle): void {
  ctx.save();
  ctx.font = style.font;
  ctx.textAlign = style.align ?? 'left';
  ctx.textBaseline = style.baseline ?? 'alphabetic';
  ctx.translate(x, y);
  if (style.upright) ctx.rotate(-Math.PI / 2);
  if (style.halo) {
    ctx.strokeStyle = INK.paper;
    ctx.lineWidth = 3;
    ctx.lineJoin = 'round';
    ctx.strokeText(text, 0, 0);
  }
  ctx.fillStyle = style.colour;
  ctx.fillText(text, 0, 0);
  ctx.restore();
}
