import { formatNumber, formatSignificant } from '../../../units.ts';
import { definitionNotes } from '../../imported.ts';
import { html } from '../markup.ts';
import { table } from '../table.ts';
import type { Section } from './section.ts';

export const imported: Section = {
  id: 'imported',
  title: "Other tools' figures",
  render({ report, facets }) {
    if (report.imported.length === 0) return null;
    const rows = report.imported.map(({ row, imported: figure, engineTitle, ours, ratio, reason }) => ({
      facets: facets.of(row.cell),
      cells: [
        figure.tool,
        row.modelTitle,
        `${row.cell.precision}, batch ${row.cell.batchSize}, prompt ${row.cell.promptLength.length}`,
        formatSignificant(figure.tokensPerSecond),
        engineTitle ?? '',
        ours === null ? '' : formatSignificant(ours),
        ratio === null
          ? (reason ?? '')
          : `${formatNumber(ratio, 2)} (not paired, without parity: no speedup)`,
      ],
    }));
    const head = ['Tool', 'Model', 'Work', 'Tokens/s by its count', 'Ours', 'Counted alike', 'Ours over it'];
    return html`<p>Printed by the tools themselves, each by a count of its own: ${definitionNotes(report.rows).join(' ')}</p>
${table('Imported figures', head, rows, [3, 5])}`;
  },
};
