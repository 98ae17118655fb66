import { createHash } from 'node:crypto';
import { createCanvas, SvgExportFlag } from '@napi-rs/canvas';
import type { Chart as ChartType, Plugin } from 'chart.js';
import { ChartJSNodeCanvas } from 'chartjs-node-canvas';
import type { Figure } from './figure.ts';
import { groupedBars } from './grouped-bars.ts';
import { PALETTE, type Theme, type ThemeName } from './palette.ts';
import { loadFont, printable } from './text.ts';

export type ImageFormat = 'png' | 'svg';

const PIXEL_RATIO = 2;

/** Pixels lie outside the heap that the collector watches: given back at once, or hundreds of charts fill the memory. */
const freePixels: Plugin = {
  id: 'ortbench-free-pixels',
  beforeDestroy: (chart) => {
    chart.canvas.width = 1;
    chart.canvas.height = 1;
  },
};

/** Draws a figure that fits into one image. The bytes depend on nothing but the figure and the theme. */
export function render(figure: Figure, format: ImageFormat, theme: ThemeName = 'light'): Buffer {
  loadFont();
  return format === 'png' ? toPng(figure, PALETTE[theme]) : toSvg(figure, PALETTE[theme]);
}

interface Surface {
  readonly canvas: ChartJSNodeCanvas;
  readonly Chart: typeof ChartType;
}

/** chartjs-node-canvas has one size for life and loads chart.js anew for each: made once a size. */
const surfaces = new Map<string, Surface>();

function surfaceOf(width: number, height: number): Surface {
  const key = `${width}×${height}`;
  const known = surfaces.get(key);
  if (known) return known;
  let Chart: typeof ChartType | undefined;
  const canvas = new ChartJSNodeCanvas({
    width,
    height,
    chartCallback: (loaded) => {
      Chart = loaded as typeof ChartType;
    },
  });
  const made = { canvas, Chart: Chart! };
  surfaces.set(key, made);
  return made;
}

function toPng(figure: Figure, theme: Theme): Buffer {
  const { layout, config } = groupedBars(figure, theme);
  config.options = { ...config.options, devicePixelRatio: PIXEL_RATIO };
  config.plugins = [...(config.plugins ?? []), freePixels];
  return surfaceOf(layout.width, layout.height).canvas.renderToBufferSync(config, 'image/png');
}

/** The same drawing commands on a canvas that records paths; letters become outlines, so no font is needed to view it. */
function toSvg(figure: Figure, theme: Theme): Buffer {
  const { layout, config } = groupedBars(figure, theme);
  const { width, height } = layout;
  const { Chart } = surfaceOf(width, height);
  const canvas = createCanvas(width, height, SvgExportFlag.ConvertTextToPaths);
  config.options = { ...config.options, devicePixelRatio: 1 };
  const chart = new Chart(canvas as unknown as ConstructorParameters<typeof ChartType>[0], config);
  const content = ownIds(shorten(canvas.getContent().toString('utf8')), figure.stem);
  chart.destroy();
  const start = content.indexOf('<svg');
  const end = content.indexOf('>', start);
  const label = `<title>${escapeXml(figure.title)}</title><desc>${escapeXml(figure.subtitle)}</desc>`;
  const open = content.slice(0, end);
  return Buffer.from(`${open} viewBox="0 0 ${width} ${height}" role="img">${label}${content.slice(end + 1)}`);
}

/** Hundredths of a pixel are below what anyone sees, and make the outlines half as long. No text is left to be changed. */
const shorten = (svg: string): string =>
  svg.replace(/-?\d*\.\d+/g, (number) => String(Number(Number(number).toFixed(2))));

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
