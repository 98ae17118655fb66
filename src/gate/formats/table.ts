import Table from 'cli-table3';
import pc from 'picocolors';
import { formatPercent, formatTokensPerSecond } from '../../units.ts';
import type { GateReport, GateRow } from '../model.ts';
import { paritySentence } from '../parity.ts';
import { worstFirst } from './names.ts';
import { powerSentences, verdictSentence } from './sentences.ts';

const COLOUR: Readonly<Record<GateRow['verdict'], (text: string) => string>> = {
  ok: pc.green,
  regression: pc.red,
  inconclusive: pc.yellow,
  failed: pc.red,
};

export const signedPercent = (factor: number | null | undefined): string =>
  factor === null || factor === undefined ? '–' : `${factor > 1 ? '+' : ''}${formatPercent(factor - 1)}`;

export const intervalText = ({ slowdown }: GateRow): string =>
  slowdown?.interval
    ? `${signedPercent(slowdown.interval[0])} … ${signedPercent(slowdown.interval[1])}`
    : '–';

/** For a terminal: worst first, then what the run could have found. Ends with the verdict. */
export function gateTable(report: GateReport): string {
  const table = new Table({
    head: ['verdict', 'cell', 'phase', 'baseline', 'candidate', 'slowdown', '95 % interval', 'findable'],
    style: { head: [], border: [], compact: true },
  });
  for (const row of worstFirst(report.rows)) {
    const rate = (value: number | null) => (value === null ? '–' : formatTokensPerSecond(value));
    const figures = [
      signedPercent(row.slowdown?.estimate),
      intervalText(row),
      signedPercent(row.smallestFindable),
    ];
    table.push([
      COLOUR[row.verdict](row.verdict),
      row.id,
      row.phase,
      rate(row.baselineRate),
      rate(row.candidateRate),
      ...figures,
    ]);
  }
  const failures = [
    ...new Set(
      report.rows.filter(({ verdict }) => verdict === 'failed').map(({ id, reason }) => `${id}: ${reason}`),
    ),
  ];
  const stamp = paritySentence(report);
  return [
    ...(report.rows.length > 0 ? [table.toString()] : []),
    ...failures.map((line) => `failed: ${line}`),
    ...report.leftOut.map(({ id, reason }) => `not compared: ${id}: ${reason}`),
    ...report.warnings.map((warning) => `warning: ${warning}`),
    ...(stamp === null ? [] : [pc.yellow(stamp)]),
    ...powerSentences(report),
    verdictSentence(report),
  ].join('\n');
}
