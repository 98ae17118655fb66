import { isSkippedByRule } from '../schema/skip-reasons.ts';
import type { Phase } from '../schema/vocabulary.ts';
import { formatRatio } from '../units.ts';
import { describeShape, plural } from './describe.ts';
import type { AverageRow, Interval, Report, SpeedupRow } from './model.ts';

/** The sentences that a blog would print, as plain text: each renderer escapes them its own way. */

const PHASE_WORDS: Readonly<Record<Phase, string>> = {
  prefill: 'prompt throughput',
  decode: 'token generation throughput',
};

export interface Sentence {
  /** "llama-tiny, int4: ONNX Runtime against PyTorch eager" */
  readonly who: string;
  /** "prompt throughput up to 2.31× (batch 4, prompt 256), …" */
  readonly what: string;
}

/** What a reader must know before believing any figure. */
export function stamps({ runs, rows, warnings }: Report): string[] {
  const found: string[] = [];
  for (const { interrupted, label } of runs) {
    if (interrupted)
      found.push(`Partial result: the run${label === null ? '' : ` on ${label}`} was interrupted.`);
  }
  const unchecked = runs.filter(({ manifest }) => !manifest.parity && manifest.imported === undefined);
  if (unchecked.length > 0) {
    const where = unchecked.flatMap(({ label }) => label ?? []).join('; ');
    found.push(
      `Parity was not checked${where === '' ? '' : ` (${where})`}: nothing shows that these engines computed the same thing.`,
    );
  }
  if (!rows.some(({ measured, imported }) => measured !== null || imported !== null))
    found.push('No cell has a valid result, so there is no chart.');
  found.push(...warnings.map((warning) => `Warning: ${warning}`));
  return found;
}

/** Nothing of it was asked for, on one side or the other: a sentence for each would bury the rest. */
const SKIPPED = /\bskipped: (.*)$/s;
export const leftOutByRule = ({ compared, reasons }: AverageRow): boolean =>
  compared.length === 0 && reasons.every((reason) => isSkippedByRule(SKIPPED.exec(reason)?.[1] ?? null));

export function sentence(row: AverageRow): Sentence {
  const { model, precision, baseline, lowest, highest, average } = row;
  const same = precision === baseline.precision;
  const who = same
    ? `${model}, ${precision}: ${row.engineTitle} against ${baseline.title}`
    : `${model}: ${row.engineTitle} ${precision} against ${baseline.title} ${baseline.precision}`;
  const device = row.device === 'cpu' ? '' : ` on ${row.device}`;
  const machine = row.run.label === null ? '' : `${row.run.machine}: `;
  return {
    who: `${machine}${who}${device}`,
    what: `${PHASE_WORDS[row.phase]} ${comparison(row, lowest, highest, average)}`,
  };
}

function comparison(
  row: AverageRow,
  lowest: AverageRow['lowest'],
  highest: AverageRow['highest'],
  average: number | null,
): string {
  if (highest === null || lowest === null || average === null) {
    const others = row.reasons.length > 1 ? ` (and ${plural(row.reasons.length - 1, 'other reason')})` : '';
    return `not compared in any of ${plural(row.cells, 'cell')}: ${row.reasons[0] ?? 'no reason'}${others}.`;
  }
  const parity = row.parity === 'match' ? '' : ' Parity unchecked.';
  const best = `${formatRatio(highest.speedup!)} (${withInterval(highest.interval)}${describeShape(highest.cell)})`;
  if (row.compared.length === 1) return `${best}, in 1 of ${plural(row.cells, 'cell')}.${parity}`;
  const peak = `${reach(highest)} ${best}`;
  const mean = `${formatRatio(average)}${inParentheses(row.interval)} on average`;
  const scope = `geometric mean over ${row.compared.length} of ${plural(row.cells, 'cell')}, lowest ${formatRatio(lowest.speedup!)}, highest ${formatRatio(highest.speedup!)}`;
  return `${peak}, ${mean} (${scope}).${parity}`;
}

/** Slower is said where the best cell's interval says so, or none could. */
function reach({ speedup, interval }: SpeedupRow): string {
  if (speedup! >= 1) return 'up to';
  return interval !== null && interval[1] >= 1 ? 'nowhere faster, at best' : 'slower everywhere, at best';
}

/** "1.21–1.35", the sign × being on the estimate. */
const range = ([low, high]: Interval): string =>
  `${formatRatio(low).slice(0, -1)}–${formatRatio(high).slice(0, -1)}`;
/** " (1.21–1.35)", or nothing. */
export const inParentheses = (interval: Interval | null): string =>
  interval === null ? '' : ` (${range(interval)})`;
/** What stands before the shape in parentheses: "1.21–1.35; ", or nothing. */
export const withInterval = (interval: Interval | null): string =>
  interval === null ? '' : `${range(interval)}; `;
