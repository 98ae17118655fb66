import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { expect, test } from 'vitest';
import { mean, standardDeviation } from '../../src/stats/descriptive.ts';
import { SCENARIOS } from '../../src/validate/figures.ts';
import { DRIFT, NoisyMachine } from '../../src/validate/machine.ts';
import { simulateNight } from '../../src/validate/night.ts';

/** The short form of `npm run validate:statistics`: the same figures from fewer nights. */
const NIGHTS = 200;
/** Noisier nights choose many pairs and take minutes. */
const short = SCENARIOS.filter(({ variant }) => !/noise (2|3|4|5|1–5) %|^pairs chosen$/.test(variant));
const named = short.map((scenario) => [`${scenario.claim}, ${scenario.variant}`, scenario] as const);

test.each(named)('figure: %s', (_name, scenario) => {
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

test('the cells of a round share its drift, and rounds share none', () => {
  const machine = new NoisyMachine(xoroshiro128plus(5));
  const rounds = Array.from({ length: 4000 }, () => machine.driftOfRound(20));
  const correlation = (a: number[], b: number[]) =>
    mean(a.map((value, i) => value * b[i]!)) /
    Math.sqrt(mean(a.map((v) => v * v)) * mean(b.map((v) => v * v)));
  const of = (cell: number) => rounds.map((drift) => drift[cell]!);
  for (const cell of [0, 10, 19]) expect(standardDeviation(of(cell)) / DRIFT).toBeCloseTo(1, 1);
  // Halves that are a turn of every cell apart: neighbours see nearly the same, the first and the last a part of it.
  expect(correlation(of(9), of(10))).toBeGreaterThan(0.9);
  expect(correlation(of(0), of(15))).toBeCloseTo(0.25, 1);
  expect(correlation(of(3).slice(1), of(3).slice(0, -1))).toBeCloseTo(0, 1);
});
