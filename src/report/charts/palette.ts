export const THEMES = ['light', 'dark'] as const;
export type ThemeName = (typeof THEMES)[number];

/** One engine's bars. */
export interface SeriesColour {
  readonly fill: string;
  /** Around the bar: at least 3:1 against the paper (WCAG 2.2, 1.4.11), where the fill itself may be paler. */
  readonly edge: string;
  /** Of the pattern over the fill. */
  readonly line: string;
}

export interface Theme {
  readonly paper: string;
  readonly title: string;
  readonly text: string;
  readonly muted: string;
  readonly grid: string;
  readonly axis: string;
  readonly series: readonly SeriesColour[];
}

const WHITE_LINES = 'rgba(255, 255, 255, 0.62)';

/**
 * Blues and oranges in turn, after Okabe and Ito's rule that hue and lightness both differ. On paper each step is lighter
 * than the last (CIE L* 25, 42, 53, 66, 77, 87): told apart by hue with every common colour-vision deficiency, by
 * lightness in grey print, by pattern where both fail, and by place in the group always.
 */
export const PALETTE: Readonly<Record<ThemeName, Theme>> = {
  light: {
    paper: '#ffffff',
    title: '#16202b',
    text: '#3c4650',
    muted: '#5d6873',
    grid: '#e3e7ea',
    axis: '#87919b',
    series: [
      { fill: '#0b3c6e', edge: '#0b3c6e', line: WHITE_LINES },
      { fill: '#a8441b', edge: '#a8441b', line: WHITE_LINES },
      { fill: '#3a83bd', edge: '#2a6699', line: WHITE_LINES },
      { fill: '#e08e2b', edge: '#a05c17', line: 'rgba(90, 45, 0, 0.55)' },
      { fill: '#8fc6ea', edge: '#38749f', line: 'rgba(15, 70, 110, 0.55)' },
      { fill: '#f3d98b', edge: '#86691c', line: 'rgba(95, 70, 0, 0.55)' },
    ],
  },
  dark: {
    paper: '#12181f',
    title: '#f0f4f8',
    text: '#cdd6df',
    muted: '#9aa6b2',
    grid: '#2a343f',
    axis: '#6b7884',
    series: [
      { fill: '#6db3f2', edge: '#6db3f2', line: 'rgba(9, 32, 54, 0.6)' },
      { fill: '#d9602b', edge: '#d9602b', line: 'rgba(45, 14, 0, 0.55)' },
      { fill: '#3b78b8', edge: '#5c97d4', line: 'rgba(255, 255, 255, 0.45)' },
      { fill: '#f0a83c', edge: '#f0a83c', line: 'rgba(70, 40, 0, 0.6)' },
      { fill: '#bfe3fb', edge: '#bfe3fb', line: 'rgba(15, 70, 110, 0.6)' },
      { fill: '#f8e9b4', edge: '#f8e9b4', line: 'rgba(95, 70, 0, 0.6)' },
    ],
  },
};

/** In their order; drawn by drawing.ts and, in the page, by assets/report/patterns.js. */
export const PATTERNS = ['solid', 'rising', 'level', 'dots', 'falling', 'upright'] as const;
export type Pattern = (typeof PATTERNS)[number];

export interface Fill extends SeriesColour {
  readonly pattern: Pattern;
}

/** Of the engine with this place in the sweep. After one turn colours meet other patterns: 36 differ. */
export function fillOf(index: number, { series }: Theme): Fill {
  const turn = Math.floor(index / series.length);
  return { ...series[index % series.length]!, pattern: PATTERNS[(index + turn) % PATTERNS.length]! };
}
