/**
 * Blues and oranges in turn, each step lighter than the last (CIE L* 25, 42, 53, 66, 77, 87): told apart by hue with
 * every common colour-vision deficiency, by lightness in grey print, and by place in the group always.
 */
export const COLOURS = ['#0b3c6e', '#a8441b', '#3a83bd', '#e08e2b', '#8fc6ea', '#f3d98b'] as const;

export interface Fill {
  readonly colour: string;
  /** After one turn through the colours, bars get white stripes. */
  readonly striped: boolean;
}

export const fillOf = (index: number): Fill => ({
  colour: COLOURS[index % COLOURS.length]!,
  striped: Math.floor(index / COLOURS.length) % 2 === 1,
});

export const INK = {
  paper: '#ffffff',
  title: '#16202b',
  text: '#3c4650',
  muted: '#65707b',
  grid: '#e3e7ea',
  axis: '#9aa4ad',
} as const;
