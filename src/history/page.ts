import { formatTokensPerSecond } from '../units.ts';
import { INK } from './charts/ink.ts';
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

/** The whole history in one file that a browser opens: no script, nothing fetched. A part at a time, so that it need not fit in memory. */
export function* historyPage(history: History, charts: Iterable<TrendChart>): Generator<string> {
  yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>History – ortbench</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>History</h1>
${historySentences(history)
  .map((sentence) => `<p>${text(sentence)}</p>`)
  .join('\n')}
${history.warnings.map((warning) => `<p class="warning">${text(warning)}</p>`).join('\n')}
<h2>Changes</h2>
${changeTable(history)}
`;
  let machine: string | null = null;
  for (const chart of charts) {
    if (chart.machine !== machine) {
      machine = chart.machine;
      const title = history.machines.find(({ id }) => id === machine)?.title ?? '';
      yield `<h2 id="machine-${text(machine)}">Machine ${text(machine)}</h2>\n<p>${text(title)}</p>\n`;
    }
    yield `<figure>\n${sceneSvg(chart.scene)}</figure>\n`;
  }
  yield `<h2>Runs</h2>\n${runTable(history)}\n</main>\n</body>\n</html>\n`;
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
  if (more <= 0) return table(head, rows);
  return `${table(head, rows.slice(0, OPEN_ROWS))}
<details><summary>${more} smaller ${more === 1 ? 'one' : 'ones'}</summary>
${table(head, rows.slice(OPEN_ROWS))}
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
  const rows = runs.map(({ id, at, machine, side }, index) => [
    text(shortTime(at)),
    `${text(id)}${side === null ? '' : ' (gate baseline)'}`,
    text(machine.id),
    String(rated.get(index) ?? 0),
    [...(missing.get(index) ?? [])].slice(0, 5).map(text).join('<br>'),
  ]);
  const body = table(
    ['started (UTC)', 'run', 'machine', 'figures', 'cells without a figure'],
    rows.reverse(),
  );
  return `<details><summary>${runs.length} runs, the newest first</summary>\n${body}\n</details>`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, values: readonly string[]) =>
    values.map((value) => `<${tag}>${value}</${tag}>`).join('');
  return [
    '<div class="wide"><table>',
    `<thead><tr>${cells('th', head)}</tr></thead>`,
    '<tbody>',
    ...rows.map((row) => `<tr>${cells('td', row)}</tr>`),
    '</tbody></table></div>',
  ].join('\n');
}

const STYLE = `
body { margin: 0; background: #f4f6f7; color: ${INK.text}; font: 15px/1.5 Inter, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 24px; }
h1, h2 { color: ${INK.title}; line-height: 1.2; }
h2 { margin-top: 40px; }
figure { margin: 0 0 24px; }
figure svg { display: block; width: 100%; height: auto; border: 1px solid ${INK.grid}; border-radius: 6px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; background: ${INK.paper}; font-size: 13.5px; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 7px 10px; border-bottom: 1px solid ${INK.grid}; }
th { color: ${INK.muted}; font-weight: 600; white-space: nowrap; }
td:first-child { white-space: nowrap; }
small { color: ${INK.muted}; }
.slower { color: #a8441b; }
.faster { color: #0b3c6e; }
.warning { border-left: 4px solid #e08e2b; padding-left: 10px; }
summary { cursor: pointer; }
`;
