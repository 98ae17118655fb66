import Table from 'cli-table3';
import pc from 'picocolors';
import { formatTokensPerSecond } from '../units.ts';
import {
  allChanges,
  describeFacts,
  describeWork,
  engineName,
  historySentences,
  shortTime,
  signedChange,
} from './describe.ts';
import type { History } from './model.ts';

/** More are in the files. */
const MOST_ROWS = 40;

/** For a terminal: what changed, the largest first, and what stood beside it. */
export function historyTable(history: History): string {
  const changes = allChanges(history);
  const several = history.machines.length > 1;
  const table = new Table({
    head: ['change', 'cell', 'phase', 'first seen', 'tokens/s', 'what else changed'],
    style: { head: [], border: [], compact: true },
  });
  for (const { line, change } of changes.slice(0, MOST_ROWS)) {
    const colour = change.ratio < 1 ? pc.red : pc.green;
    table.push([
      `${colour(signedChange(change.ratio))}\np ${change.p.toFixed(3)}`,
      `${engineName(line)}\n${describeWork(line)}${several ? `\nmachine ${line.machine}` : ''}`,
      line.phase,
      `${shortTime(change.after.at)}\n${change.after.run}`,
      `${formatTokensPerSecond(change.from)}\n→ ${formatTokensPerSecond(change.to)}`,
      describeFacts(change).join('\n'),
    ]);
  }
  return [
    ...(changes.length > 0 ? [table.toString()] : []),
    ...(changes.length > MOST_ROWS
      ? [`${changes.length - MOST_ROWS} smaller changes are in history.json.`]
      : []),
    ...(several ? history.machines.map(({ id, title }) => `machine ${id}: ${title}`) : []),
    ...history.warnings.map((warning) => `warning: ${warning}`),
    ...historySentences(history),
  ].join('\n');
}
