import type { FlagName } from '../stats/flags.ts';
import { describeShape, PHASE_TITLE } from './describe.ts';
import { groupBy } from './group-by.ts';
import type { CellRow } from './model.ts';

/** What is missing and what is doubtful, grouped for tables. */

/** Cells without a comparable result, those of one cause together. */
export function missingGroups(rows: readonly CellRow[]): CellRow[][] {
  const missing = rows.filter(({ status }) => status !== 'ok');
  const keyOf = ({ run, cell, status, reason }: CellRow): string =>
    JSON.stringify([run.label, cell.model, cell.engine, cell.precision, status, reason]);
  return [...groupBy(missing, keyOf).values()];
}

/** "12: batch 1, prompt 64; batch 1, prompt 256; batch 4, prompt 64; and 9 more" */
export function shapes(group: readonly CellRow[]): string {
  const listed = group.slice(0, 3).map(({ cell }) => describeShape(cell));
  const more = group.length - listed.length;
  return `${group.length}: ${listed.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

export interface FlagGroup {
  readonly name: FlagName;
  /** Cells that carry it. */
  readonly cells: number;
  readonly example: string;
}

export function flagGroups(rows: readonly CellRow[]): FlagGroup[] {
  const raised = rows.flatMap((row) => row.flags.map((flag) => ({ row, flag })));
  return [...groupBy(raised, ({ flag }) => flag.name)].map(([name, group]) => {
    const { row, flag } = group[0]!;
    const machine = row.run.label === null ? '' : `${row.run.label}: `;
    const where = `${machine}${row.engineTitle}, ${row.cell.precision}, ${describeShape(row.cell)}`;
    const phase = flag.phase === null ? '' : `${PHASE_TITLE[flag.phase].toLowerCase()}, `;
    return {
      name,
      cells: new Set(group.map((member) => member.row)).size,
      example: `${where}: ${phase}${flag.detail}`,
    };
  });
}
