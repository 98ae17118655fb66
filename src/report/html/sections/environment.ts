import { sessionKey } from '../../../schema/cell.ts';
import { formatDuration, formatMiB, formatPercent, nsToSeconds } from '../../../units.ts';
import { describeMethod, describeModel, plural } from '../../describe.ts';
import { groupBy } from '../../group-by.ts';
import { oneLine } from '../../markdown.ts';
import type { CellRow, ReportRun } from '../../model.ts';
import { type Html, html } from '../markup.ts';
import { table } from '../table.ts';
import type { PageContext, Section } from './section.ts';

export const environment: Section = {
  id: 'environment',
  title: 'Environment',
  render(context) {
    return html`${machines(context)}
${times(context)}
${context.report.unlike.length === 0 ? null : html`<ul>${context.report.unlike.map((text) => html`<li>${text}</li>`)}</ul>`}
${models(context)}
${engines(context)}`;
  },
};

const described = (entries: readonly (readonly [string, string | null])[]): Html =>
  html`<dl>${entries.flatMap(([name, value]) => (value === null ? [] : [html`<dt>${name}</dt><dd>${value}</dd>`]))}</dl>`;

/** One list a run; of several runs each under its name. */
const machines = ({ report: { runs, rows } }: PageContext): Html[] =>
  runs.map((run) => {
    const own = rows.filter((row) => row.run === run);
    return html`${run.label === null ? null : html`<h3>${run.label}</h3>`}${machine(run, own)}`;
  });

function machine({ manifest, time }: ReportRun, rows: readonly CellRow[]): Html {
  const { environment: own } = manifest;
  const finished = rows.find(({ measured }) => measured !== null)?.measured?.rounds.length ?? 0;
  return described([
    [
      'Processor',
      `${own.cpuModel}, ${plural(own.physicalCores, 'core')}, ${plural(own.logicalCores, 'hardware thread')}`,
    ],
    ['Instruction sets', own.cpuFeatures.join(' ') || null],
    ['Graphics processor', own.gpu],
    ['Memory', formatMiB(own.memoryMiB)],
    ['System', `${own.os}, kernel ${own.kernel}, ${own.arch}${own.virtualised ? ', virtual machine' : ''}`],
    ['Clock governor', own.cpuGovernor],
    ['Node', own.node],
    ['Threads', `${plural(manifest.threads, 'compute thread')} per engine`],
    [
      'Rounds',
      `${manifest.repetitions} of every engine in seeded random order (seed ${manifest.seed})${finished > 0 && finished < manifest.repetitions ? `, ${finished} finished` : ''}; ${manifest.generate} tokens per sequence, greedy, end of sequence ignored`,
    ],
    ['Statistics', describeMethod(manifest.repetitions)],
    [
      'Time inside the engines',
      time === null || time.wallNs === 0 ? null : `${formatPercent(time.engineNs / time.wallNs)} of the run`,
    ],
    [
      'ortbench',
      `${own.ortbench}, run ${manifest.runId} of ${manifest.createdAt}, configuration ${manifest.configSha256.slice(0, 12)}`,
    ],
  ]);
}

/** Where the time of each run went, the longest stage first. */
const times = ({ report: { runs } }: PageContext): Html[] =>
  runs.flatMap(({ label, time }) => {
    if (time === null || time.stages.length === 0) return [];
    const seconds = (ns: number): string => formatDuration(nsToSeconds(ns));
    return [
      table(
        `Where the time went${label === null ? '' : `: ${label}`}`,
        ['Stage', 'Time', 'Share of the run', 'Inside engines', 'Outside'],
        time.stages.map(({ stage, wallNs, engineNs }) => ({
          cells: [
            stage,
            seconds(wallNs),
            formatPercent(wallNs / time.wallNs),
            seconds(engineNs),
            seconds(Math.max(0, wallNs - engineNs)),
          ],
        })),
        [1, 2, 3, 4],
      ),
    ];
  });

const models = ({ report: { manifest } }: PageContext): Html =>
  table(
    'Models',
    ['Name', 'Title', 'What it is'],
    manifest.models.map(({ name, title }) => ({ cells: [name, title, describeModel(manifest, name)] })),
  );

/** Versions and what really ran, as each session reported them; one line for sessions that reported the same. */
function engines({ report: { rows } }: PageContext): Html {
  const sessions = [
    ...groupBy(
      rows.filter(({ session }) => session !== null),
      ({ cell }) => sessionKey(cell),
    ).values(),
  ].map(([first]) => first!);
  const lines = groupBy(sessions, ({ engineTitle, cell, session, preparation }) =>
    JSON.stringify([
      engineTitle,
      cell.precision,
      pairs(session!.versions),
      pairs({ ...session!.effective, ...preparation?.effective }),
    ]),
  );
  return table(
    'Engines: exact versions, and what ran',
    ['Engine', 'Precision', 'Versions', 'Effective settings'],
    [...lines.keys()].map((key) => ({
      cells: (JSON.parse(key) as string[]).map((text) => oneLine(text, 1200)),
    })),
  );
}

const pairs = (record: Readonly<Record<string, unknown>>): string =>
  Object.entries(record)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
