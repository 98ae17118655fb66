import { describeShape } from '../report/describe.ts';
import { oneLine } from '../report/markdown.ts';
import { formatPercent } from '../units.ts';
import { FEWEST_RUNS } from './changes.ts';
import type { Change, FactChange, History, HistoryRun, Line } from './model.ts';

/** Wording that table, charts and page share. */

/** "2026-11-24 02:43": UTC, without the seconds that nobody reads. */
export const shortTime = (iso: string): string => iso.slice(0, 16).replace('T', ' ');

/** "+3.1 %"; to / from. */
export const signedChange = (ratio: number): string => `${ratio > 1 ? '+' : ''}${formatPercent(ratio - 1)}`;

export const engineName = ({ cell, side }: Pick<Line, 'cell' | 'side'>): string =>
  side === null ? cell.engine : `${cell.engine} (gate baseline)`;

/** "llama-tiny int4 cpu, batch 1, prompt 32, 256 generated" */
export const describeWork = ({ cell }: Pick<Line, 'cell'>): string =>
  `${cell.model} ${cell.precision} ${cell.device}, ${describeShape(cell)}, ${cell.generate} generated`;

const LONGEST_VALUE = 60;

/** "version onnxruntime 1.30.0 → 1.31.0 (1 run earlier)" */
export function describeFact({ fact, from, to, offset }: FactChange): string {
  const said = (value: string | null) => (value === null ? 'unknown' : oneLine(value, LONGEST_VALUE));
  const runs = `${Math.abs(offset)} run${Math.abs(offset) === 1 ? '' : 's'}`;
  const place = offset === 0 ? '' : ` (${runs} ${offset < 0 ? 'earlier' : 'later'})`;
  return `${oneLine(fact, LONGEST_VALUE)} ${said(from)} → ${said(to)}${place}`;
}

const MOST_FACTS = 6;

export function describeFacts({ beside }: Pick<Change, 'beside'>, most = MOST_FACTS): string[] {
  if (beside.length === 0) return ['nothing that is recorded'];
  const more = beside.length - most;
  return [...beside.slice(0, most).map(describeFact), ...(more > 0 ? [`and ${more} more`] : [])];
}

/** Changes of all lines, the largest first. */
export function allChanges({ lines }: History): { line: Line; change: Change }[] {
  return lines
    .flatMap((line) => line.changes.map((change) => ({ line, change })))
    .sort((a, b) => Math.abs(Math.log(b.change.ratio)) - Math.abs(Math.log(a.change.ratio)));
}

/** The stamp on what is made of runs without the parity check; null when every one had it. */
export function paritySentence(runs: readonly Pick<HistoryRun, 'parity'>[]): string | null {
  const unchecked = runs.filter(({ parity }) => !parity).length;
  if (unchecked === 0) return null;
  return `Parity was not checked in ${unchecked} of ${runs.length} runs: nothing shows that engines computed the same thing there.`;
}

/** What was looked at, and what could not be seen. */
export function historySentences({ runs, lines, machines, least }: History): string[] {
  const rated = ({ points }: Line) => points.filter(({ rate }) => rate !== null).length;
  const short = lines.filter((line) => rated(line) < FEWEST_RUNS).length;
  const changed = lines.filter(({ changes }) => changes.length > 0).length;
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`;
  const span = runs.length === 0 ? '' : `, ${shortTime(runs[0]!.at)} to ${shortTime(runs.at(-1)!.at)} UTC`;
  const stamp = paritySentence(runs);
  return [
    ...(stamp === null ? [] : [stamp]),
    `${count(runs.length, 'run')}${span}; ${count(lines.length, 'line')} on ${count(machines.length, 'machine')}.`,
    `${changed} of them changed by ${formatPercent(least, 0)} or more (E-divisive means, permutation p ≤ .01).`,
    ...(short > 0
      ? [
          `${count(short, 'line')} with fewer than ${FEWEST_RUNS} runs: too few for any change to be told from chance.`,
        ]
      : []),
  ];
}
