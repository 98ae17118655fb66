import Table from 'cli-table3';
import pc from 'picocolors';
import type { LoadedSweep } from '../config/load.ts';
import type { Plan, PlanFacts, PlannedCell, PlanStatus } from '../plan/plan.ts';
import { formatDuration, formatMiB, formatNumber } from '../units.ts';
import type { PlanSummary } from './plan-summary.ts';

/** More rows than this are no longer read: the rest is in the summary, and in `--json`. */
const SHOWN_CELLS = 200;
const SHOWN_REASONS = 20;

const COLOUR: Record<PlanStatus, (text: string) => string> = {
  planned: pc.green,
  skipped: pc.dim,
  unsupported: pc.yellow,
  unavailable: pc.red,
};

/** The plan as text: a table for each model and device, the reasons as numbered notes, totals. */
export function formatPlan(loaded: LoadedSweep, plan: Plan, summary: PlanSummary, facts: PlanFacts): string {
  const notes = new Map(summary.reasons.map(({ status, reason }, i) => [`${status} ${reason}`, i + 1]));
  const shown = plan.cells.slice(0, SHOWN_CELLS);
  const parts = [`${loaded.sweep.title ?? loaded.file}, ${facts.threads} threads`];
  for (const cells of runsOf(shown)) parts.push(heading(cells[0]!), table(cells, notes));
  const hidden = plan.cells.length - shown.length;
  if (hidden > 0) parts.push(`… and ${formatNumber(hidden)} more cells; --json lists all`);
  parts.push(...reasonLines(summary), ...totals(loaded, summary, facts));
  return `${parts.join('\n')}\n`;
}

/** Consecutive cells of one model and device. */
function runsOf(cells: readonly PlannedCell[]): PlannedCell[][] {
  const runs: PlannedCell[][] = [];
  for (const entry of cells) {
    const current = runs.at(-1);
    const previous = current?.[0]?.cell;
    if (current && previous?.model === entry.cell.model && previous.device === entry.cell.device)
      current.push(entry);
    else runs.push([entry]);
  }
  return runs;
}

function heading({ cell }: PlannedCell): string {
  return `\n${pc.bold(cell.model)} on ${cell.device}, ${cell.generate} tokens generated per sequence`;
}

function table(cells: readonly PlannedCell[], notes: ReadonlyMap<string, number>): string {
  const rows = new Table({
    head: ['batch', 'prompt', 'precision', 'engine', '', 'memory', 'time'],
    colAligns: ['right', 'right', 'left', 'left', 'left', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  let work = '';
  for (const { cell, status, reason, hostMiB, deviceMiB, seconds } of cells) {
    const { length, spread } = cell.promptLength;
    const prompt = spread === 0 ? String(length) : `${length} ~${spread}`;
    // The work of a comparison is written once, so that its engines read as one group.
    const first = work !== `${cell.batchSize} ${prompt}`;
    work = `${cell.batchSize} ${prompt}`;
    const note = reason === null ? '' : ` [${notes.get(`${status} ${reason}`)}]`;
    const runs = status === 'planned';
    rows.push([
      first ? String(cell.batchSize) : '',
      first ? prompt : '',
      cell.precision,
      cell.engine,
      COLOUR[status](status) + note,
      runs ? formatMemory({ hostMiB, deviceMiB }) : '',
      runs ? formatDuration(seconds) : '',
    ]);
  }
  return rows.toString();
}

function reasonLines({ reasons }: PlanSummary): string[] {
  if (reasons.length === 0) return [];
  const lines = reasons
    .slice(0, SHOWN_REASONS)
    .map(
      ({ status, reason, cells }, i) => `  [${i + 1}] ${COLOUR[status](status)}, ${count(cells)}: ${reason}`,
    );
  if (reasons.length > SHOWN_REASONS) lines.push(`  … and ${reasons.length - SHOWN_REASONS} more reasons`);
  return ['\nNot run:', ...lines];
}

function totals({ sweep }: LoadedSweep, summary: PlanSummary, facts: PlanFacts): string[] {
  const { counts } = summary;
  const all = Object.values(counts).reduce((sum, cells) => sum + cells, 0);
  const perStatus = Object.entries(counts).flatMap(([status, cells]) =>
    cells > 0 && status !== 'planned' ? [`${formatNumber(cells)} ${status}`] : [],
  );
  const rest = perStatus.length > 0 ? ` (${perStatus.join(', ')})` : '';
  const lines = [`\n${formatNumber(counts.planned)} of ${count(all)} will run${rest}`];
  for (const block of summary.blocks) {
    const held = `${block.sessions} sessions of ${block.model} on ${block.device}, ${block.precisions.join(' and ')},`;
    const how =
      block.residency === 'together'
        ? `stay loaded together, about ${formatMemory(block.together)}`
        : `do not fit together (about ${formatMemory(block.together)}): loaded anew in each of ${sweep.repetitions} rounds. Costs about ${formatDuration(block.reloadSeconds)} more; gains rounds that hold every engine within ${formatDuration(block.roundSeconds)}, so that a drift of the machine divides out of the speedups, where engines run one after another would lie ${formatDuration(block.apartSeconds)} apart`;
    lines.push(`  ${held} ${how}; ${block.comparisons} comparisons`);
  }
  const free = facts.availableMiB === null ? '' : `, ${formatMiB(facts.availableMiB)} free`;
  lines.push(
    `estimated time ${formatDuration(summary.seconds)}, rough: by arithmetic, not by measurement; preparing models comes on top`,
    `largest session ${formatMiB(summary.peakHostMiB)} of ${formatMiB(facts.memoryMiB)}${free}`,
  );
  return lines;
}

/** The host's, and what lies on a device. */
function formatMemory({ hostMiB, deviceMiB }: { hostMiB: number; deviceMiB: number | null }): string {
  const onDevice = deviceMiB ? ` + ${formatMiB(deviceMiB)} on the device` : '';
  return formatMiB(hostMiB) + onDevice;
}

function count(cells: number): string {
  return cells === 1 ? '1 cell' : `${formatNumber(cells)} cells`;
}
