import { formatRatio, formatTokensPerSecond } from '../units.ts';
import { describeHardware, describeShape, describeVersions, plural } from './describe.ts';
import { definitionNotes } from './imported.ts';
import { escapeMarkdown as md, table } from './markdown.ts';
import type { ImportedRow, Report } from './model.ts';

/** Rows of a table before it refers to imported.csv. */
const LONGEST_TABLE = 40;

/** Where each of several runs was made; nothing for a single one, whose conditions stand at the end. */
export function runSection({ runs, rows }: Report): string[] {
  if (runs.length < 2) return [];
  const lines = runs.map((run) => {
    const { manifest, label } = run;
    const versions = describeVersions(rows.filter((row) => row.run === run));
    const conditions = [describeHardware(manifest), versions].filter((part) => part !== '').join('; ');
    return [md(label!), md(conditions), md(manifest.runId), md(manifest.createdAt.slice(0, 10))];
  });
  const machines = new Set(runs.map(({ machine }) => machine)).size;
  return [
    '## Machines and runs',
    `${plural(runs.length, 'run')} on ${plural(machines, 'machine')}. Speedups are taken within one run only: nothing is divided by a figure of another run or machine.`,
    table(['run', 'made on', 'name', 'day'], lines),
  ];
}

/** In what the runs differ besides their machines. */
export function unlikeSection({ unlike }: Report): string[] {
  if (unlike.length === 0) return [];
  return [
    '## What is unlike between the runs',
    'Bars of different runs stand side by side; this is what else differs between them, beside the machine.',
    unlike.map((sentence) => `- ${md(sentence)}`).join('\n'),
  ];
}

/** Other tools' figures beside our own times, counted alike. */
export function importedSection({ imported }: Report): string[] {
  if (imported.length === 0) return [];
  const compared = imported.filter(({ ratio }) => ratio !== null);
  const lines = [...compared, ...imported.filter(({ ratio }) => ratio === null)].map(line);
  const more = lines.length - LONGEST_TABLE;
  return [
    '## Imported from other tools',
    "Each figure by the tool's own count. A ratio stands only where our own times, counted the same way, are of the same work on the same machine with as many threads; it is no speedup: its runs were not paired, and parity was not checked.",
    definitionNotes(imported.map(({ row }) => row))
      .map((note) => `- ${md(note)}`)
      .join('\n'),
    table(
      ['figure', 'model', 'shape', 'tool', 'ours, so counted', 'ours ÷ tool'],
      lines.slice(0, LONGEST_TABLE),
    ),
    ...(more > 0 ? [`And ${plural(more, 'more line')}: imported.csv has every figure.`] : []),
  ];
}

function line({ row, imported, engineTitle, ours, ratio, reason }: ImportedRow): string[] {
  const { cell } = row;
  const steps = cell.generate > 1 ? `, ${plural(cell.generate - 1, 'step')}` : '';
  return [
    md(row.engineTitle),
    md(`${cell.model}, ${cell.precision}`),
    md(`${describeShape(cell)}${steps}`),
    formatTokensPerSecond(imported.tokensPerSecond),
    ours === null ? '–' : md(`${engineTitle}: ${formatTokensPerSecond(ours)}`),
    ratio === null ? md(reason ?? '') : formatRatio(ratio),
  ];
}
