import { formatTokensPerSecond } from '../units.ts';
import { sceneSvg } from './charts/svg.ts';
import type { TrendChart } from './charts/trend.ts';
import {
  allChanges,
  describeFacts,
  describeWork,
  engineName,
  historySentences,
  shortTime,
  signedChange,
} from './describe.ts';
import { escapeMarkup as text } from './markup.ts';
import type { Change, History, Line } from './model.ts';

/**
 * Sentences, changes, charts and runs of a history as markup, for a page of its own and for the page of a report. A part
 * at a time, so that it need not fit in memory.
 * @param level of its headings
 */
export function* historyBody(
  history: History,
  charts: Iterable<TrendChart>,
  level: 2 | 3,
): Generator<string> {
  const heading = (title: string, attributes = ''): string => `<h${level}${attributes}>${title}</h${level}>`;
  yield `${historySentences(history)
    .map((sentence) => `<p>${text(sentence)}</p>`)
    .join('\n')}
${history.warnings.map((warning) => `<p class="warning">${text(warning)}</p>`).join('\n')}
${heading('Changes')}
${changeTable(history)}
`;
  let machine: string | null = null;
  for (const chart of charts) {
    if (chart.machine !== machine) {
      machine = chart.machine;
      const title = history.machines.find(({ id }) => id === machine)?.title ?? '';
      yield `${heading(`Machine ${text(machine)}`, ` id="machine-${text(machine)}"`)}\n<p>${text(title)}</p>\n`;
    }
    yield `<figure class="trend" tabindex="0" aria-label="${text(chart.title)}">\n${sceneSvg(chart.scene)}</figure>\n`;
  }
  yield `${heading('Runs')}\n${runTable(history)}\n`;
}

/** Rows that stand open; below them a page of charts should still be found. */
const OPEN_ROWS = 12;

function changeTable(history: History): string {
  const changes = allChanges(history);
  if (changes.length === 0) return '<p>None.</p>';
  const several = history.machines.length > 1;
  const head = [
    'change',
    'cell',
    'phase',
    ...(several ? ['machine'] : []),
    'first seen',
    'tokens/s',
    'p',
    'what else changed',
  ];
  const rows = changes.map(({ line, change }) => changeRow(line, change, several));
  const more = rows.length - OPEN_ROWS;
  if (more <= 0) return table('Changes', head, rows);
  return `${table('Changes', head, rows.slice(0, OPEN_ROWS))}
<details><summary>${more} smaller ${more === 1 ? 'one' : 'ones'}</summary>
${table('Smaller changes', head, rows.slice(OPEN_ROWS))}
</details>`;
}

function changeRow(line: Line, change: Change, several: boolean): string[] {
  const machine = text(line.machine);
  return [
    `<strong class="${change.ratio < 1 ? 'slower' : 'faster'}">${change.ratio < 1 ? '↓' : '↑'} ${text(signedChange(change.ratio))}</strong>`,
    `${text(engineName(line))}<br><small>${text(describeWork(line))}</small>`,
    line.phase,
    ...(several ? [`<a href="#machine-${machine}">${machine}</a>`] : []),
    `${text(shortTime(change.after.at))}<br><small>${text(change.after.run)}, after ${text(change.before.run)}</small>`,
    `${text(formatTokensPerSecond(change.from))}<br>→ ${text(formatTokensPerSecond(change.to))}`,
    text(change.p.toFixed(3)),
    describeFacts(change, Number.POSITIVE_INFINITY).map(text).join('<br>'),
  ];
}

function runTable({ runs, lines }: History): string {
  const rated = new Map<number, number>();
  const missing = new Map<number, Set<string>>();
  for (const line of lines) {
    for (const { run, rate, status, reason } of line.points) {
      if (rate !== null) rated.set(run, (rated.get(run) ?? 0) + 1);
      else
        missing.set(
          run,
          (missing.get(run) ?? new Set()).add(
            `${engineName(line)}: ${status}${reason === null ? '' : ` (${reason})`}`,
          ),
        );
    }
  }
  const rows = runs.map(({ id, at, machine, side, parity }, index) => [
    text(shortTime(at)),
    `${text(id)}${side === null ? '' : ' (gate baseline)'}${parity ? '' : '<br><small>parity not checked</small>'}`,
    text(machine.id),
    String(rated.get(index) ?? 0),
    [...(missing.get(index) ?? [])].slice(0, 5).map(text).join('<br>'),
  ]);
  const body = table(
    'Runs of the history',
    ['started (UTC)', 'run', 'machine', 'figures', 'cells without a figure'],
    rows.reverse(),
  );
  return `<details><summary>${runs.length} runs, the newest first</summary>\n${body}\n</details>`;
}

function table(name: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, values: readonly string[]) =>
    values.map((value) => `<${tag}>${value}</${tag}>`).join('');
  return [
    `<div class="scroll" tabindex="0" role="region" aria-label="${name}"><table>`,
    `<thead><tr>${cells('th', head)}</tr></thead>`,
    '<tbody>',
    ...rows.map((row) => `<tr>${cells('td', row)}</tr>`),
    '</tbody></table></div>',
  ].join('\n');
}
