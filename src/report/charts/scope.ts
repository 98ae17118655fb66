import { groupBy } from '../group-by.ts';
import { type CellRow, type Report, type ReportRun, rowKey } from '../model.ts';
import type { Entry } from './grid.ts';

/** Rows that share a chart: of one model, precision, device and number of generated tokens. */
export function comparable(rows: readonly CellRow[]): CellRow[][] {
  const groups = groupBy(rows, ({ cell }) => JSON.stringify([cell.model, cell.precision, cell.device]));
  return [...groups.values()].flatMap((group) => {
    const own = groupBy(
      group.filter(({ imported }) => imported === null),
      ({ cell }) => cell.generate,
    );
    // Another tool's figure stands for what its note says, not for our number of tokens: it goes beside each.
    const imported = group.filter((row) => row.imported !== null);
    return own.size === 0 ? [imported] : [...own.values()].map((rows) => [...rows, ...imported]);
  });
}

const severalMachines = ({ runs }: Report): boolean => new Set(runs.map(({ machine }) => machine)).size > 1;

/** Where a row goes in a grid; machines are named only where there are several. */
export function placeOf(
  report: Report,
  row: { readonly run: ReportRun; readonly cell: CellRow['cell']; readonly engineTitle: string },
): Omit<Entry, 'outcome'> {
  const { cell, engineTitle, run } = row;
  return {
    cell,
    engineTitle,
    row: rowKey(row),
    machine: severalMachines(report) ? run.machine : null,
    imported: run.manifest.imported === true,
  };
}
