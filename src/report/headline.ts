import type { Phase } from '../schema/vocabulary.ts';
import { FLAGS } from '../stats/flags.ts';
import { formatPercent, formatRatio } from '../units.ts';
import {
  describeHardware,
  describeHarness,
  describeModel,
  describeShape,
  describeVersions,
  PHASE_TITLE,
  plural,
} from './describe.ts';
import { importedSection, runSection, unlikeSection } from './gathered-sections.ts';
import { groupBy } from './group-by.ts';
import { escapeMarkdown as md, table } from './markdown.ts';
import type { AverageRow, CellRow, Interval, Report } from './model.ts';
import { publishedSection } from './published/markdown.ts';

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
    `# ${md(manifest.title ?? 'Generative AI on this machine')}`,
    ...stamps(report).map((stamp) => `> **${stamp}**`),
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

/** What a reader must know before believing any figure. */
function stamps({ runs, rows, warnings }: Report): string[] {
  const found: string[] = [];
  for (const { interrupted, label } of runs) {
    if (interrupted)
      found.push(`Partial result: the run${label === null ? '' : ` on ${md(label)}`} was interrupted.`);
  }
  const unchecked = runs.filter(({ manifest }) => !manifest.parity && manifest.imported === undefined);
  if (unchecked.length > 0) {
    const where = unchecked.flatMap(({ label }) => (label === null ? [] : [md(label)])).join('; ');
    found.push(
      `Parity was not checked${where === '' ? '' : ` (${where})`}: nothing shows that these engines computed the same thing.`,
    );
  }
  if (!rows.some(({ measured, imported }) => measured !== null || imported !== null))
    found.push('No cell has a valid result, so there is no chart.');
  found.push(...warnings.map((warning) => `Warning: ${md(warning)}`));
  return found;
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
    ...[...byBaseline.values()].map((group) => group.map((row) => `- ${sentence(row)}`).join('\n')),
    ...(own.length === all.length
      ? []
      : [
          `${plural(all.length - own.length, 'comparison')} more would need cells that the sweep's own rules or --only leave out: averages.csv has them.`,
        ]),
    ...figures.map((chart) => `![${md(chart.title)}](${chart.file})`),
  ];
}

/** Nothing of it was asked for, on one side or the other: a sentence for each would bury the rest. */
const BY_RULE = /\bskipped: (excluded by the rule|matches no include rule|not selected by --only)/;
const leftOutByRule = ({ compared, reasons }: AverageRow): boolean =>
  compared.length === 0 && reasons.every((reason) => BY_RULE.test(reason));

const PHASE_WORDS: Readonly<Record<Phase, string>> = {
  prefill: 'prompt throughput',
  decode: 'token generation throughput',
};

/** "llama-tiny, int4: ONNX Runtime against PyTorch eager: prompt throughput up to 2.31× (batch 4, prompt 256), …" */
function sentence(row: AverageRow): string {
  const { model, precision, baseline, lowest, highest, average } = row;
  const same = precision === baseline.precision;
  const who = same
    ? `${model}, ${precision}: ${row.engineTitle} against ${baseline.title}`
    : `${model}: ${row.engineTitle} ${precision} against ${baseline.title} ${baseline.precision}`;
  const device = row.device === 'cpu' ? '' : ` on ${row.device}`;
  const machine = row.run.label === null ? '' : `${row.run.machine}: `;
  const start = `**${md(`${machine}${who}${device}`)}**: ${PHASE_WORDS[row.phase]}`;
  if (highest === null || lowest === null || average === null) {
    const others = row.reasons.length > 1 ? ` (and ${plural(row.reasons.length - 1, 'other reason')})` : '';
    return `${start} not compared in any of ${plural(row.cells, 'cell')}: ${md(row.reasons[0] ?? 'no reason')}${others}.`;
  }
  const reach = highest.speedup! < 1 ? 'slower everywhere, at best' : 'up to';
  const peak = `${reach} ${formatRatio(highest.speedup!)} (${withInterval(highest.interval)}${describeShape(highest.cell)})`;
  const mean = `${formatRatio(average)}${row.interval === null ? '' : ` (${range(row.interval)})`} on average`;
  const scope = `geometric mean over ${row.compared.length} of ${plural(row.cells, 'cell')}, lowest ${formatRatio(lowest.speedup!)}, highest ${formatRatio(highest.speedup!)}`;
  const parity = row.parity === 'match' ? '' : ' Parity unchecked.';
  return `${start} ${peak}, ${mean} (${scope}).${parity}`;
}

/** "1.21–1.35", the sign × being on the estimate. */
const range = ([low, high]: Interval): string =>
  `${formatRatio(low).slice(0, -1)}–${formatRatio(high).slice(0, -1)}`;
const withInterval = (interval: Interval | null): string => (interval === null ? '' : `${range(interval)}; `);

/** Every cell without a valid figure, cells of one cause together. */
function missingSection(report: Report): string[] {
  const rows = report.rows.filter(({ imported }) => imported === null);
  const missing = rows.filter(({ status }) => status !== 'ok');
  if (missing.length === 0) return [];
  const groups = groupBy(missing, ({ run, cell, status, reason }) =>
    JSON.stringify([run.label, cell.model, cell.engine, cell.precision, status, reason]),
  );
  const several = report.runs.length > 1;
  const lines = [...groups.values()].map((group) => {
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
    `${plural(missing.length, 'cell')} of ${rows.length} without a comparable result. A mismatch was measured and is charted hatched, without a speedup.`,
    shortTable(
      [...(several ? ['run'] : []), 'model', 'engine', 'precision', 'cells', 'status', 'reason'],
      lines,
    ),
  ];
}

function flagSection(rows: readonly CellRow[]): string[] {
  const raised = rows.flatMap((row) => row.flags.map((flag) => ({ row, flag })));
  if (raised.length === 0) return [];
  const lines = [...groupBy(raised, ({ flag }) => flag.name)].map(([name, group]) => {
    const { row, flag } = group[0]!;
    const machine = row.run.label === null ? '' : `${row.run.label}: `;
    const where = `${machine}${row.engineTitle}, ${row.cell.precision}, ${describeShape(row.cell)}`;
    const phase = flag.phase === null ? '' : `${PHASE_TITLE[flag.phase].toLowerCase()}, `;
    const cells = new Set(group.map((member) => member.row)).size;
    return [name, String(cells), md(`${where}: ${phase}${flag.detail}`), FLAGS[name]];
  });
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
  const method =
    manifest.repetitions >= 6
      ? 'Speedups are exp of the Hodges–Lehmann estimate of log ratios of the same round, with exact signed-rank 95 % intervals in parentheses; averages are geometric means with t intervals from per-round means.'
      : 'Speedups are ratios of medians; with fewer than six rounds there is no 95 % interval.';
  return [
    '## Conditions',
    [
      // Of several runs, the table at the top has what each was made on.
      ...(runs.length > 1 ? [] : [`- Hardware: ${md(describeHardware(manifest))}`]),
      ...(runs.length > 1 || versions === '' ? [] : [`- Engines: ${md(versions)}`]),
      `- ${plural(manifest.repetitions, 'round')} of every engine in seeded random order (seed ${manifest.seed})${measured > 0 && measured < manifest.repetitions ? `, ${measured} finished` : ''}; ${manifest.generate} tokens generated per sequence, greedy, end of sequence ignored. Throughputs are medians of rounds.`,
      `- ${method}`,
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

function shapes(group: readonly CellRow[]): string {
  const listed = group.slice(0, 3).map(({ cell }) => describeShape(cell));
  const more = group.length - listed.length;
  return `${group.length}: ${listed.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

function shortTable(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const shown = table(head, lines.slice(0, LONGEST_TABLE));
  const more = lines.length - LONGEST_TABLE;
  return more > 0 ? `${shown}\n\nAnd ${plural(more, 'more line')}: summary.csv has every cell.` : shown;
}
