import { escapeMarkup } from '../markup.ts';
import { INK } from './ink.ts';
import { dotCorners, type Scene, type Shape, type Stroke } from './scene.ts';

const FONTS = "Inter, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif";
const ANCHOR = { left: 'start', center: 'middle', right: 'end' } as const;
/** Hundredths of a pixel are below what anyone sees. */
const n = (value: number): string => String(Number(value.toFixed(2)));

/** Text stays text: small, searchable, and with a title under the pointer. The bytes depend on the scene alone. */
export function sceneSvg({ width, height, title, description, shapes }: Scene): string {
  const size = `width="${n(width)}" height="${n(height)}" viewBox="0 0 ${n(width)} ${n(height)}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" font-family="${FONTS}">`,
    `<title>${escapeMarkup(title)}</title><desc>${escapeMarkup(description)}</desc>`,
    `<rect width="100%" height="100%" fill="${INK.paper}"/>`,
    ...shapes.map(shapeSvg),
    '</svg>',
    '',
  ].join('\n');
}

function shapeSvg(shape: Shape): string {
  switch (shape.kind) {
    case 'path': {
      const d = shape.points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${n(x)} ${n(y)}`).join('');
      return `<path d="${d}" fill="none" ${strokeSvg(shape.stroke)}/>`;
    }
    case 'dot': {
      const { form, x, y, radius, fill, stroke, title } = shape;
      const look = `fill="${fill}" ${strokeSvg(stroke)}><title>${escapeMarkup(title)}</title>`;
      if (form === 'circle') return `<circle cx="${n(x)}" cy="${n(y)}" r="${n(radius)}" ${look}</circle>`;
      const corners = dotCorners(form, x, y, radius).map(([left, top]) => `${n(left)},${n(top)}`);
      return `<polygon points="${corners.join(' ')}" ${look}</polygon>`;
    }
    case 'cross': {
      const { x, y, size, stroke, title } = shape;
      const [left, right, top, bottom] = [x - size, x + size, y - size, y + size].map(n);
      const d = `M${left} ${top}L${right} ${bottom}M${left} ${bottom}L${right} ${top}`;
      return `<path d="${d}" fill="none" ${strokeSvg(stroke)}><title>${escapeMarkup(title)}</title></path>`;
    }
    case 'text': {
      const { x, y, text, size, weight, colour, align, halo } = shape;
      const edge = halo ? ` stroke="${INK.paper}" stroke-width="3" paint-order="stroke"` : '';
      const style = `font-size="${n(size)}" font-weight="${weight}" fill="${colour}" text-anchor="${ANCHOR[align]}"`;
      return `<text x="${n(x)}" y="${n(y)}" ${style}${edge}>${escapeMarkup(text)}</text>`;
    }
  }
}

function strokeSvg({ colour, width, dash, opacity }: Stroke): string {
  const dashes = dash ? ` stroke-dasharray="${dash.map(n).join(' ')}"` : '';
  const clear = opacity === undefined ? '' : ` stroke-opacity="${n(opacity)}"`;
  return `stroke="${colour}" stroke-width="${n(width)}"${dashes}${clear}`;
}
