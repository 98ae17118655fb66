import { missingGroups, shapes } from '../../causes.ts';
import { plural } from '../../describe.ts';
import { oneLine } from '../../markdown.ts';
import { html } from '../markup.ts';
import { table } from '../table.ts';
import type { Section } from './section.ts';

const LONGEST_TABLE = 200;

export const missing: Section = {
  id: 'missing',
  title: 'What is missing, and why',
  render({ report, facets }) {
    const own = report.rows.filter(({ imported }) => imported === null);
    const groups = missingGroups(own);
    if (groups.length === 0) return null;
    const cells = groups.reduce((sum, group) => sum + group.length, 0);
    const rows = groups.slice(0, LONGEST_TABLE).map((group) => {
      const { run, cell, modelTitle, engineTitle, status, reason } = group[0]!;
      return {
        facets: facets.of(cell),
        cells: [
          modelTitle,
          run.label === null ? engineTitle : `${engineTitle}, ${run.label}`,
          cell.precision,
          shapes(group),
          status,
          oneLine(reason ?? ''),
        ],
      };
    });
    const more = groups.length - rows.length;
    return html`<p>${plural(cells, 'cell')} of ${own.length} without a comparable result. A mismatch was measured and is charted crossed out, without a speedup.</p>
${table('Cells of one cause together', ['Model', 'Engine', 'Precision', 'Cells', 'Status', 'Reason'], rows)}${
  more > 0 ? html`<p>And ${plural(more, 'more line')}: the table of results has every cell.</p>` : null
}`;
  },
};
