import { YARDSTICKS } from '../engines/yardsticks.ts';
import { formatMiB, formatNumber, formatSignificant } from '../units.ts';
import { type Comparison, nameOf } from './declaration.ts';
import type { FidelityProblem, FidelityRow } from './row.ts';
import type { FidelitySection } from './store.ts';
import { formatProblem, interval, notesOf } from './table.ts';

const HEAD = `# Fidelity

A comparison is worth what its weakest driver is worth. This page shows how fast ortbench drives each engine, against that
engine's own tools on the same machine, files, threads and shapes. It is made by a command, and not edited:

    npm run bench:fidelity -- --write
    npm run bench:fidelity -- --engine onnxruntime --write
    npm run --silent bench:fidelity -- --engine llamacpp --json

A ratio is ortbench's throughput over the tool's: above 1, ortbench's driver is the faster. In every round the driver and
each tool take one turn of the same work, in seeded random order; within a turn each phase is repeated until it is long
enough, as often on both sides, after an untimed run, and not before the threads of the others sleep. Rounds are spread over sittings, each with processes of its own, for
where a process got its memory sways its speed as long as it lives. A cell that does not meet a bar is measured in more rounds,
each in a sitting of its own, and all of its rounds count. The interval is the exact 95 % signed-rank interval of the paired ratios
over rounds. A bar is met when the ratio reaches it, undecided when only the interval does, missed when neither
does. Ratios from a machine that was busy with other things are marked; they mean little.
`;

/** docs/fidelity.md: one table a comparison, in the order of the declaration, with what was measured of it last. */
export async function renderPage(
  comparisons: readonly Comparison[],
  sections: readonly FidelitySection[],
): Promise<string> {
  const parts = [HEAD];
  for (const comparison of comparisons) {
    const section = sections.find(({ name }) => name === nameOf(comparison));
    parts.push(`## ${nameOf(comparison)}\n`, await methods(comparison));
    parts.push(section === undefined ? 'Not measured yet.\n' : renderSection(section));
  }
  return `${parts.join('\n').trimEnd()}\n`;
}

async function methods({ engine, tools, options, build }: Comparison): Promise<string> {
  const known = await YARDSTICKS[engine]!();
  const set = Object.entries(options).map(([key, value]) => `\`${key}: ${value}\``);
  const how = [...(build === undefined ? [] : [`the ${build} build`]), ...set];
  const lines = tools.map(({ tool, bar }) => {
    const { title, method } = known.tools[tool]!;
    return `- **${title}**, ${bar === null ? 'no bar' : `bar ${bar}`}: ${method}`;
  });
  return [...(how.length > 0 ? [`Engine \`${engine}\`, ${how.join(', ')}.\n`] : []), ...lines, ''].join('\n');
}

function renderSection(section: FidelitySection): string {
  const { measuredAt, machine, threads, sittings, versions, rows, problems } = section;
  const cores = `${machine.physicalCores} cores, ${machine.logicalCores} threads`;
  const virtual = machine.virtualised ? ', virtual machine' : '';
  const libraries = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const failed = problems.filter((problem) => problem.failed);
  return [
    `Measured on ${measuredAt.slice(0, 10)}: ${machine.cpuModel}, ${cores}${virtual}, ${formatMiB(machine.memoryMiB)}, ` +
      `${machine.os}, kernel ${machine.kernel}; ${threads} threads; rounds in ${sittings === 1 ? 'one sitting' : `${sittings} sittings`}; ortbench ${machine.ortbench}, Node ${machine.node}, ` +
      `${libraries.join(', ')}.\n`,
    ...(rows.length === 0 ? [] : [table(rows)]),
    ...leftOut(problems),
    ...(failed.length === 0
      ? []
      : ['Failed:\n', ...failed.map((problem) => `- ${formatProblem(problem)}`), '']),
  ].join('\n');
}

const COLUMNS: readonly (readonly [name: string, cell: (row: FidelityRow) => string])[] = [
  ['tool', ({ tool }) => tool],
  ['model', ({ model }) => model],
  ['weights', ({ precision }) => precision],
  ['batch', ({ batchSize }) => `${batchSize}`],
  ['prompt', ({ promptLength }) => `${promptLength}`],
  ['phase', ({ phase }) => phase],
  ['ortbench, tokens/s', ({ driverRate }) => formatSignificant(driverRate)],
  ['tool, tokens/s', ({ toolRate }) => formatSignificant(toolRate)],
  ['ratio', ({ ratio }) => formatNumber(ratio, 3)],
  ['95 % interval', interval],
  ['rounds', ({ rounds }) => `${rounds}`],
  ['bar', ({ bar }) => (bar === null ? '–' : `${bar}`)],
  [
    'verdict',
    ({ verdict }) => (verdict === 'missed' || verdict === 'invalid' ? `**${verdict}**` : (verdict ?? '–')),
  ],
  ['notes', (row) => notesOf(row).join('; ')],
];

function table(rows: readonly FidelityRow[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const body = rows.map((row) => line(COLUMNS.map(([, cell]) => cell(row))));
  return [line(COLUMNS.map(([name]) => name)), line(COLUMNS.map(() => '---')), ...body, ''].join('\n');
}

/** Cells that a tool is not made for, once a reason. */
function leftOut(problems: readonly FidelityProblem[]): string[] {
  const reasons = new Set(problems.filter(({ failed }) => !failed).map(({ reason }) => reason));
  return reasons.size === 0 ? [] : [`Left out: ${[...reasons].join('; ')}.\n`];
}
