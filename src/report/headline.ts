import { FLAGS } from '../stats/flags.ts';
import { formatPercent } from '../units.ts';
import { flagGroups, missingGroups, shapes } from './causes.ts';
import {
  describeHardware,
  describeHarness,
  describeMethod,
  describeModel,
  describeVersions,
  plural,
  reportTitle,
} from './describe.ts';
import { importedSection, runSection, unlikeSection } from './gathered-sections.ts';
import { groupBy } from './group-by.ts';
import { escapeMarkdown as md, table } from './markdown.ts';
import type { AverageRow, CellRow, Report } from './model.ts';
import { publishedSection } from './published/markdown.ts';
import { leftOutByRule, sentence, stamps } from './sentences.ts';

/** A chart that was written beside the headline. */
export interface ChartLink {
  readonly model: string;
  readonly title: string;
  /** Relative path with forward slashes; its characters are safe in a link. */
  readonly file: string;
}

export interface ChartLinks {
  readonly links: readonly ChartLink[];
  /** Figures that were not drawn, because there were too many. */
  readonly leftOut: number;
}

/** Rows of a table before it refers to summary.csv. */
const LONGEST_TABLE = 60;

/** The sentences that a blog would print, computed; then what is missing, what is doubtful, and on what it ran. */
export function headlineMarkdown(report: Report, charts: ChartLinks = { links: [], leftOut: 0 }): string {
  const { manifest } = report;
  const { links, leftOut } = charts;
  const blocks = [
    `# ${md(reportTitle(manifest))}`,
    ...stamps(report).map((stamp) => `> **${md(stamp)}**`),
    ...runSection(report),
    ...manifest.models.flatMap(({ name }) => modelSection(report, name, links)),
    ...(leftOut === 0
      ? []
      : [
          `${plural(leftOut, 'chart')} more would be too many to look at and were not drawn: sweep fewer shapes at once, or plot summary.csv.`,
        ]),
    ...publishedSection(report.published),
    ...importedSection(report),
    ...missingSection(report),
    ...flagSection(report.rows),
    ...unlikeSection(report),
    ...conditionSection(report),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function modelSection(
  { manifest, averages, rows }: Report,
  model: string,
  charts: readonly ChartLink[],
): string[] {
  const all = averages.filter((average) => average.model === model);
  const own = all.filter((average) => !leftOutByRule(average));
  const figures = charts.filter((chart) => chart.model === model);
  const title = manifest.models.find(({ name }) => name === model)?.title ?? model;
  const byBaseline = groupBy(
    own,
    ({ run, precision, baseline }) => `${run.label}\n${precision}\n${baseline.engine}\n${baseline.precision}`,
  );
  const byPrecision = groupBy(
    rows.filter(({ cell }) => cell.model === model),
    ({ cell }) => `${cell.precision} on ${cell.device}`,
  );
  const empty = [...byPrecision].filter(
    ([, group]) => !group.some(({ measured, imported }) => measured !== null || imported !== null),
  );
  return [
    `## ${md(title)}`,
    `${md(`${model}: ${describeModel(manifest, model)}`)}.`,
    ...(manifest.baselines.length === 0 && manifest.imported === undefined
      ? ['The sweep names no baseline, so there are no speedups.']
      : []),
    ...empty.map(
      ([what]) => `No cell of ${md(model)} in ${what} has a valid result, so there is no chart of it.`,
    ),
    ...[...byBaseline.values()].map((group) => group.map((row) => `- ${bullet(row)}`).join('\n')),
    ...(own.length === all.length
      ? []
      : [
          `${plural(all.length - own.length, 'comparison')} more would need cells that the sweep's own rules or --only leave out: averages.csv has them.`,
        ]),
    ...figures.map((chart) => `![${md(chart.title)}](${chart.file})`),
  ];
}

function bullet(row: AverageRow): string {
  const { who, what } = sentence(row);
  return `**${md(who)}**: ${md(what, 600)}`;
}

/** Every cell without a valid figure, cells of one cause together. */
function missingSection(report: Report): string[] {
  const rows = report.rows.filter(({ imported }) => imported === null);
  const groups = missingGroups(rows);
  if (groups.length === 0) return [];
  const several = report.runs.length > 1;
  const lines = groups.map((group) => {
    const { run, cell, engineTitle, status, reason } = group[0]!;
    return [
      ...(several ? [md(run.label!)] : []),
      md(cell.model),
      md(engineTitle),
      cell.precision,
      shapes(group),
      status,
      md(reason ?? ''),
    ];
  });
  return [
    '## What is missing, and why',
    `${plural(groups.flat().length, 'cell')} of ${rows.length} without a comparable result. A mismatch was measured and is charted crossed out, without a speedup.`,
    shortTable(
      [...(several ? ['run'] : []), 'model', 'engine', 'precision', 'cells', 'status', 'reason'],
      lines,
    ),
  ];
}

function flagSection(rows: readonly CellRow[]): string[] {
  const groups = flagGroups(rows);
  if (groups.length === 0) return [];
  const lines = groups.map(({ name, cells, example }) => [name, String(cells), md(example), FLAGS[name]]);
  return [
    '## What is doubtful',
    'Nothing was left out because of a flag; summary.csv lists the flags of every cell.',
    table(['flag', 'cells', 'for example', 'what to do'], lines),
  ];
}

function conditionSection({ runs, manifest, rows, time, harness }: Report): string[] {
  if (manifest.imported) return [];
  const versions = describeVersions(rows);
  const measured = rows.find(({ measured }) => measured !== null)?.measured?.rounds.length ?? 0;
  return [
    '## Conditions',
    [
      // Of several runs, the table at the top has what each was made on.
      ...(runs.length > 1 ? [] : [`- Hardware: ${md(describeHardware(manifest))}`]),
      ...(runs.length > 1 || versions === '' ? [] : [`- Engines: ${md(versions)}`]),
      `- ${plural(manifest.repetitions, 'round')} of every engine in seeded random order (seed ${manifest.seed})${measured > 0 && measured < manifest.repetitions ? `, ${measured} finished` : ''}; ${manifest.generate} tokens generated per sequence, greedy, end of sequence ignored. Throughputs are medians of rounds.`,
      `- ${describeMethod(manifest.repetitions)}`,
      ...(time === null
        ? []
        : [
            `- Time inside the engines: ${formatPercent(time.wallNs > 0 ? time.engineNs / time.wallNs : Number.NaN)} of the run.`,
          ]),
      ...(harness === null ? [] : [`- ${describeHarness(harness)}.`]),
      ...(runs.length > 1
        ? []
        : [
            `- Run ${md(manifest.runId)} of ${md(manifest.createdAt)}, ortbench ${md(manifest.environment.ortbench)}, configuration ${md(manifest.configSha256.slice(0, 12))}.`,
          ]),
    ].join('\n'),
  ];
}

function shortTable(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const shown = table(head, lines.slice(0, LONGEST_TABLE));
  const more = lines.length - LONGEST_TABLE;
  return more > 0 ? `${shown}\n\nAnd ${plural(more, 'more line')}: summary.csv has every cell.` : shown;
}
