import { createRequire } from 'node:module';
import { createCanvas, GlobalFonts, type SKRSContext2D } from '@napi-rs/canvas';
import { InfrastructureError } from '../../errors.ts';
import { oneLine } from '../markdown.ts';

/** A name of our own, so that an installed font of the same family is never taken instead. */
const FAMILY = 'ortbench-inter';
const FILES = ['400Regular/Inter_400Regular.ttf', '600SemiBold/Inter_600SemiBold.ttf'];

export const font = (size: number, weight: 400 | 600 = 400): string => `${weight} ${size}px ${FAMILY}`;

/** The same for chart.js, which composes font strings itself. */
export const fontOptions = (size: number) =>
  ({ family: FAMILY, size, weight: 400, lineHeight: 1.2 }) as const;

let measuring: SKRSContext2D | null = null;

/** Registers the bundled font once; charts look the same whatever fonts the machine has. */
function context(): SKRSContext2D {
  if (measuring === null) {
    const resolve = createRequire(import.meta.url).resolve;
    for (const file of FILES) {
      if (GlobalFonts.registerFromPath(resolve(`@expo-google-fonts/inter/${file}`), FAMILY) === null) {
        throw new InfrastructureError(`the chart font ${file} cannot be read`, { hint: 'npm ci' });
      }
    }
    measuring = createCanvas(1, 1).getContext('2d');
  }
  return measuring;
}

export const loadFont = (): void => void context();

export function textWidth(text: string, style: string): number {
  const ctx = context();
  ctx.font = style;
  return ctx.measureText(text).width;
}

/** Ranges that the font has: Latin, Greek, Cyrillic, punctuation, arrows and mathematical signs. */
const MISSING_GLYPHS =
  /[^\u0020-\u024f\u0370-\u03ff\u0400-\u045f\u2010-\u2027\u2030-\u203a\u20ac\u2190-\u2193\u2212\u2248\u2260\u2264\u2265]/gu;

/** What the font cannot show would be drawn in whatever font the machine has; a box is the same everywhere. */
export const printable = (text: string): string =>
  oneLine(text, 2000).normalize('NFC').replace(MISSING_GLYPHS, '□');

/** Cut in the middle, where names differ least, to fit a width. */
export function cutToWidth(text: string, style: string, width: number): string {
  if (textWidth(text, style) <= width) return text;
  const characters = [...text];
  let low = 0;
  let high = characters.length;
  const cut = (kept: number) =>
    `${characters.slice(0, Math.ceil(kept / 2)).join('')}…${characters.slice(characters.length - Math.floor(kept / 2)).join('')}`;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (textWidth(cut(middle), style) <= width) low = middle;
    else high = middle - 1;
  }
  return cut(low);
}

/** Lines that fit a width; a word that alone is too long is cut. */
export function wrap(text: string, style: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (textWidth(longer, style) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    line = cutToWidth(word, style, width);
  }
  return line === '' ? lines : [...lines, line];
}
