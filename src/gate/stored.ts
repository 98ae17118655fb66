import { isDeepStrictEqual } from 'node:util';
import type { Environment, Manifest } from '../schema/manifest.ts';
import { PHASES, type Phase } from '../schema/vocabulary.ts';
import { mean, median } from '../stats/descriptive.ts';
import { ratioOfMeans } from '../stats/fieller.ts';
import { describeSlowdown, failedRow } from './judge.ts';
import type { CellPair, GateRow } from './model.ts';
import { allRates, type Side } from './pairs.ts';
import { GATE, type Slowdown, type Verdict } from './rule.ts';

/** Facts of a machine that its speed depends on; ortbench's own version is one. */
const FINGERPRINT = [
  'cpuModel',
  'physicalCores',
  'logicalCores',
  'cpuFeatures',
  'memoryMiB',
  'os',
  'kernel',
  'arch',
  'gpu',
  'virtualised',
  'cpuGovernor',
  'node',
  'ortbench',
] as const satisfies readonly (keyof Environment)[];

/** In what two runs' machines differ, in words; none when both were made on what looks like the same machine. */
export function fingerprintDifferences(baseline: Manifest, candidate: Manifest): string[] {
  const facts = FINGERPRINT.filter(
    (fact) => !isDeepStrictEqual(baseline.environment[fact], candidate.environment[fact]),
  ).map(
    (fact) => `${fact} was ${said(baseline.environment[fact])} and is ${said(candidate.environment[fact])}`,
  );
  if (baseline.threads !== candidate.threads)
    facts.push(`threads were ${baseline.threads} and are ${candidate.threads}`);
  return facts;
}

const said = (fact: unknown): string => (Array.isArray(fact) ? fact.join(' ') : String(fact ?? 'unknown'));

/**
 * Results that were not measured together: slowdown as the ratio of mean times with Fieller's interval, the level shared
 * among all comparisons (Bonferroni). What changed between the two runs is in it, so it never counts as pairs do.
 * @param sameMachine only then may a row be a regression or ok; otherwise it can but warn, and is inconclusive.
 */
export function judgeStored(
  cells: readonly CellPair[],
  baseline: Side,
  candidate: Side,
  sameMachine: boolean,
): GateRow[] {
  const comparisons = cells.filter(({ failure }) => failure === null).length * PHASES.length;
  return cells.flatMap((cell) =>
    PHASES.map((phase) =>
      cell.failure === null
        ? unpairedRow(cell, phase, baseline, candidate, comparisons, sameMachine)
        : failedRow(cell, phase, cell.failure),
    ),
  );
}

function unpairedRow(
  cell: CellPair,
  phase: Phase,
  baseline: Side,
  candidate: Side,
  comparisons: number,
  sameMachine: boolean,
): GateRow {
  const before = allRates(baseline, cell.id, phase);
  const now = allRates(candidate, cell.id, phase);
  const times = (rates: readonly number[]) => rates.map((rate) => 1 / rate);
  // Both ends of a two-sided interval: a one-sided level is doubled.
  const interval = (level: number) => ratioOfMeans(times(now), times(before), 1 - 2 * level).interval;
  const slowdown: Slowdown = {
    estimate: mean(times(now)) / mean(times(before)),
    interval: interval(0.025),
    upperBound: interval(GATE.boundTail)?.[1] ?? Number.POSITIVE_INFINITY,
  };
  const surely = interval(GATE.decideLevel / comparisons);
  const isSlower = surely !== null && surely[0] > Math.exp(GATE.margin);
  const isOk = slowdown.upperBound < Math.exp(GATE.limit);
  const seen: Verdict = isSlower ? 'regression' : isOk ? 'ok' : 'inconclusive';
  const verdict = sameMachine ? seen : 'inconclusive';
  const warning = sameMachine ? '' : '; another machine: a warning at most';
  return {
    id: cell.id,
    cell: cell.cell,
    phase,
    verdict,
    reason: `${describeSlowdown(slowdown, seen)}, unpaired${warning}`,
    baselineRate: median(before),
    candidateRate: median(now),
    slowdown,
    stage: null,
    pairs: now.length,
    adjustedP: null,
    smallestFindable: null,
  };
}
