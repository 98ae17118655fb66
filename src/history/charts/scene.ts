/** What a trend chart consists of, so that one layout is drawn as SVG text and as pixels. CSS pixels, y downwards. */

export interface Stroke {
  readonly colour: string;
  readonly width: number;
  /** Lengths of dash and gap. */
  readonly dash?: readonly number[];
  /** 0 … 1; opaque without. */
  readonly opacity?: number;
}

/** Of the dots of a line: told apart in grey, and by readers who see colours otherwise. */
export const DOT_FORMS = ['circle', 'square', 'diamond', 'triangle'] as const;
export type DotForm = (typeof DOT_FORMS)[number];

/** Corners of a dot that is not round, about as large as a circle of that radius. */
export function dotCorners(form: DotForm, x: number, y: number, radius: number): [x: number, y: number][] {
  const near = radius * 0.9;
  const far = radius * 1.3;
  switch (form) {
    case 'circle':
      return [];
    case 'square':
      return [
        [x - near, y - near],
        [x + near, y - near],
        [x + near, y + near],
        [x - near, y + near],
      ];
    case 'diamond':
      return [
        [x, y - far],
        [x + far, y],
        [x, y + far],
        [x - far, y],
      ];
    case 'triangle':
      return [
        [x, y - far],
        [x + far, y + near],
        [x - far, y + near],
      ];
  }
}

export type Shape =
  | {
      readonly kind: 'path';
      readonly points: readonly (readonly [x: number, y: number])[];
      readonly stroke: Stroke;
    }
  | {
      readonly kind: 'dot';
      readonly form: DotForm;
      readonly x: number;
      readonly y: number;
      readonly radius: number;
      readonly fill: string;
      readonly stroke: Stroke;
      /** Shown where a page is pointed at it. */
      readonly title: string;
    }
  | {
      readonly kind: 'cross';
      readonly x: number;
      readonly y: number;
      readonly size: number;
      readonly stroke: Stroke;
      readonly title: string;
    }
  | {
      readonly kind: 'text';
      readonly x: number;
      readonly y: number;
      readonly text: string;
      readonly size: number;
      readonly weight: 400 | 600;
      readonly colour: string;
      readonly align: 'left' | 'center' | 'right';
      /** Paper around the letters. */
      readonly halo?: boolean;
    };

export interface Scene {
  readonly width: number;
  readonly height: number;
  /** For readers that do not see it. */
  readonly title: string;
  readonly description: string;
  readonly shapes: readonly Shape[];
}
