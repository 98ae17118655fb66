import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { expect, test } from 'vitest';
import { SCENARIOS } from '../../src/validate/figures.ts';
import { simulateNight } from '../../src/validate/night.ts';

/** The short form of `npm run validate:statistics`: the same figures from fewer nights. */
const NIGHTS = 200;
/** Noisier nights choose many pairs and take minutes. */
const short = SCENARIOS.filter(
  ({ name }) => !/noise (2|3|4|5|1–5) %|(change|slower), pairs chosen/.test(name),
);

test.each(short.map((scenario) => [scenario.name, scenario] as const))('figure: %s', (_name, scenario) => {
  const figure = scenario.run(NIGHTS);
  // Where one night in two hundred weighs half a percent, the bound is widened by three standard errors.
  const slack = (bound: number) => 3 * Math.sqrt((bound * (1 - bound)) / figure.trials);
  if (figure.atMost !== null) expect(figure.value).toBeLessThanOrEqual(figure.atMost + slack(figure.atMost));
  if (figure.atLeast !== null)
    expect(figure.value).toBeGreaterThanOrEqual(figure.atLeast - slack(figure.atLeast));
});

test('the simulation sees what it should: everything 8 % slower is found, and screening alone would cry wolf', () => {
  const random = xoroshiro128plus(9);
  const night = { cells: 50, noise: [0.01, 0.02], pairs: 15 } as const;
  const bad = simulateNight({ ...night, slowdown: () => 1.08 }, random);
  expect(bad.verdicts.filter((verdict) => verdict === 'regression').length).toBeGreaterThan(45);
  const borderline = simulateNight({ ...night, slowdown: () => 1.02 }, random);
  expect(borderline.advanced).toBeGreaterThan(0);
  expect(borderline.verdicts.filter((verdict) => verdict === 'regression').length).toBeLessThan(3);
});

test('the same seed gives the same figure', () => {
  const [first] = SCENARIOS;
  expect(first!.run(20)).toEqual(first!.run(20));
});
