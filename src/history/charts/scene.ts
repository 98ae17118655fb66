/** What a trend chart consists of, so that one layout is drawn as SVG text and as pixels. CSS pixels, y downwards. */

export interface Stroke {
  readonly colour: string;
  readonly width: number;
  /** Lengths of dash and gap. */
  readonly dash?: readonly number[];
  /** 0 … 1; opaque without. */
  readonly opacity?: number;
}

export type Shape =
  | {
      readonly kind: 'path';
      readonly points: readonly (readonly [x: number, y: number])[];
      readonly stroke: Stroke;
    }
  | {
      readonly kind: 'dot';
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
