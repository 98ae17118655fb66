/** culori comes without types; what palette.test.ts takes of it. */
declare module 'culori' {
  interface Colour {
    readonly mode: string;
  }
  export function parse(text: string): Colour | undefined;
  export function lab(colour: string | Colour): { readonly l: number } | undefined;
  export function wcagContrast(a: string | Colour, b: string | Colour): number;
  export function differenceCiede2000(): (a: Colour, b: Colour) => number;
  export function filterDeficiencyProt(severity: number): (colour: Colour) => Colour;
  export function filterDeficiencyDeuter(severity: number): (colour: Colour) => Colour;
  export function filterDeficiencyTrit(severity: number): (colour: Colour) => Colour;
}
