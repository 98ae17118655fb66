import {
  differenceCiede2000,
  filterDeficiencyDeuter,
  filterDeficiencyProt,
  filterDeficiencyTrit,
  lab,
  parse,
  wcagContrast,
} from 'culori';
import { describe, expect, test } from 'vitest';
import { fillOf, PALETTE, PATTERNS, THEMES } from '../../../src/report/charts/palette.ts';

const seenBy = {
  everybody: (colour: string) => parse(colour)!,
  protanopia: (colour: string) => filterDeficiencyProt(1)(parse(colour)!),
  deuteranopia: (colour: string) => filterDeficiencyDeuter(1)(parse(colour)!),
  tritanopia: (colour: string) => filterDeficiencyTrit(1)(parse(colour)!),
};

describe.each(THEMES)('%s', (name) => {
  const theme = PALETTE[name];

  test.each(Object.entries(seenBy))('bars are told apart by %s', (_, see) => {
    const difference = differenceCiede2000();
    const colours = theme.series.map(({ fill }) => see(fill));
    for (const [i, a] of colours.entries()) {
      for (const [j, b] of colours.slice(i + 1).entries()) {
        // About ten is plainly another colour at the size of a bar; patterns differ besides.
        expect(difference(a, b), `${i} and ${i + 1 + j}`).toBeGreaterThan(9);
      }
    }
  });

  test('edges of bars stand out from the paper (WCAG 1.4.11), text is readable (1.4.3)', () => {
    for (const { edge } of theme.series) expect(wcagContrast(edge, theme.paper), edge).toBeGreaterThan(3);
    for (const colour of [theme.title, theme.text, theme.muted]) {
      expect(wcagContrast(colour, theme.paper), colour).toBeGreaterThan(4.5);
    }
  });
});

test('on paper the grey of each colour is lighter than the last', () => {
  const lightness = PALETTE.light.series.map(({ fill }) => lab(fill)!.l);
  for (let i = 1; i < lightness.length; i++) expect(lightness[i]! - lightness[i - 1]!).toBeGreaterThan(9);
});

test('36 engines before two have the same colour and pattern', () => {
  const looks = Array.from({ length: 36 }, (_, i) => {
    const { fill, pattern } = fillOf(i, PALETTE.light);
    return `${fill} ${pattern}`;
  });
  expect(new Set(looks).size).toBe(36);
  expect(PATTERNS[0]).toBe('solid');
});
