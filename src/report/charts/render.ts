import { createHash } from 'node:crypto';
import { type Canvas, createCanvas, type SvgCanvas, SvgExportFlag } from '@napi-rs/canvas';
import type { ChartConfiguration, Chart as ChartType } from 'chart.js';
import { ChartJSNodeCanvas } from 'chartjs-node-canvas';
import type { Figure } from './figure.ts';
import { groupedBars } from './grouped-bars.ts';
import { PALETTE, type Theme, type ThemeName } from './palette.ts';
import { loadFont, printable } from './text.ts';

export type ImageFormat = 'png' | 'svg';

const PIXEL_RATIO = 2;

/**
 * Draws a figure that fits into one image, before it returns; pixels are then compressed on another thread, so that the
 * next figure can be drawn meanwhile. The bytes depend on nothing but the figure and the theme.
 */
export function render(figure: Figure, format: ImageFormat, theme: ThemeName = 'light'): Promise<Buffer> {
  loadFont();
  return format === 'png' ? toPng(figure, PALETTE[theme]) : toSvg(figure, PALETTE[theme]);
}

let loaded: typeof ChartType | undefined;

/** chart.js as chartjs-node-canvas sets it up for Node; its own canvases have one size for life, and encode on this thread. */
function loadChart(): typeof ChartType {
  if (loaded === undefined) {
    const chartCallback = (made: unknown) => {
      loaded = made as typeof ChartType;
    };
    new ChartJSNodeCanvas({ width: 1, height: 1, chartCallback });
  }
  return loaded!;
}

function draw(config: ChartConfiguration, canvas: Canvas | SvgCanvas, devicePixelRatio: number): ChartType {
  const options = { ...config.options, devicePixelRatio };
  const Chart = loadChart();
  return new Chart(canvas as unknown as ConstructorParameters<typeof ChartType>[0], { ...config, options });
}

async function toPng(figure: Figure, theme: Theme): Promise<Buffer> {
  const { layout, config } = groupedBars(figure, theme);
  const canvas = createCanvas(layout.width, layout.height);
  const chart = draw(config, canvas, PIXEL_RATIO);
  const bytes = await canvas.encode('png');
  chart.destroy();
  // Pixels lie outside the heap that the collector watches: given back at once, or hundreds of charts fill the memory.
  canvas.width = 1;
  canvas.height = 1;
  return bytes;
}

/** The same drawing commands on a canvas that records paths; letters become outlines, so no font is needed to view it. */
async function toSvg(figure: Figure, theme: Theme): Promise<Buffer> {
  const { layout, config } = groupedBars(figure, theme);
  const { width, height } = layout;
  const canvas = createCanvas(width, height, SvgExportFlag.ConvertTextToPaths);
  const chart = draw(config, canvas, 1);
  const content = ownIds(shorten(canvas.getContent().toString('utf8')), figure.stem);
  chart.destroy();
  const start = content.indexOf('<svg');
  const end = content.indexOf('>', start);
  const label = `<title>${escapeXml(figure.title)}</title><desc>${escapeXml(figure.subtitle)}</desc>`;
  const open = content.slice(0, end);
  return Buffer.from(`${open} viewBox="0 0 ${width} ${height}" role="img">${label}${content.slice(end + 1)}`);
}

/**
 * Hundredths of a pixel are below what anyone sees, and make the outlines half as long. No text is left to be changed.
 * The outline of a label that is there many times is shortened once.
 */
function shorten(svg: string): string {
  const outlines = new Map<string, string>();
  return svg.replace(/ d="[^"]*"|-?\d*\.\d+/g, (found) => {
    if (!found.startsWith(' ')) return hundredths(found);
    const short = outlines.get(found) ?? found.replace(/-?\d*\.\d+/g, hundredths);
    outlines.set(found, short);
    return short;
  });
}

/** Not toFixed, which takes twice as long: a chart has fifty thousand numbers. */
const hundredths = (number: string): string => String(Math.round(Number(number) * 100) / 100);

/** The canvas numbers clip paths over the life of the process; here they depend on the figure, and differ between figures. */
function ownIds(svg: string, stem: string): string {
  const prefix = createHash('sha256').update(stem).digest('hex').slice(0, 8);
  const numbers = new Map<string, string>();
  return svg.replace(/\bcl_[0-9a-f]+\b/g, (id) => {
    const own = numbers.get(id) ?? `clip-${prefix}-${numbers.size}`;
    numbers.set(id, own);
    return own;
  });
}

/** For text between tags. */
const escapeXml = (text: string): string =>
  printable(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
