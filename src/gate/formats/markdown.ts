import { escapeMarkdown as md, table } from '../../report/markdown.ts';
import { formatTokensPerSecond } from '../../units.ts';
import type { GateReport } from '../model.ts';
import { paritySentence } from '../parity.ts';
import { worstFirst } from './names.ts';
import { powerSentences, verdictSentence } from './sentences.ts';
import { intervalText, signedPercent } from './table.ts';

/** A step summary may hold a mebibyte; rows beyond this are counted, the JSON has them all. */
const MOST_ROWS = 500;

/** For the step summary of a CI job. */
export function gateMarkdown(report: GateReport): string {
  const rows = worstFirst(report.rows);
  const rate = (value: number | null) => (value === null ? '–' : md(formatTokensPerSecond(value)));
  const lines = rows
    .slice(0, MOST_ROWS)
    .map((row) => [
      `**${row.verdict}**`,
      md(row.id),
      row.phase,
      rate(row.baselineRate),
      rate(row.candidateRate),
      row.slowdown === null ? md(row.reason) : signedPercent(row.slowdown.estimate),
      intervalText(row),
      signedPercent(row.smallestFindable),
    ]);
  const stamp = paritySentence(report);
  const head = ['verdict', 'cell', 'phase', 'baseline', 'candidate', 'slowdown', '95 % interval', 'findable'];
  const blocks = [
    `## ${md(report.title)}: ${md(verdictSentence(report))}`,
    ...(stamp === null ? [] : [`> **${md(stamp)}**`]),
    ...report.warnings.map((warning) => `> **Warning:** ${md(warning)}`),
    ...(lines.length > 0 ? [table(head, lines)] : []),
    ...(rows.length > MOST_ROWS ? [`${rows.length - MOST_ROWS} more comparisons are in the JSON.`] : []),
    powerSentences(report)
      .map((text) => md(text))
      .join(' '),
    ...(report.leftOut.length > 0
      ? [
          `Not compared:\n\n${report.leftOut.map(({ id, reason }) => `- ${md(id)}: ${md(reason)}`).join('\n')}`,
        ]
      : []),
  ];
  return `${blocks.join('\n\n')}\n`;
}
