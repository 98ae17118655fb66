import { plural } from '../../describe.ts';
import { resultColumns } from '../columns.ts';
import { html } from '../markup.ts';
import { table } from '../table.ts';
import type { Section } from './section.ts';

/** Rows that stand in the page itself; a script lists all, a page at a time. */
const MOST_STATIC = 300;

export const results: Section = {
  id: 'results',
  title: 'Results',
  render({ report, facets, files }) {
    const columns = resultColumns(report);
    const rows = report.rows.slice(0, MOST_STATIC).map((row) => ({
      facets: facets.of(row.cell),
      cells: columns.map(({ text }) => text(row)),
    }));
    const more = report.rows.length - rows.length;
    const numeric = columns.flatMap((column, index) => (column.numeric ? [index] : []));
    return html`<div id="results-table">${table(
      `${plural(report.rows.length, 'cell')}: medians of ${plural(report.manifest.repetitions, 'round')}`,
      columns.map(({ title }) => title),
      rows,
      numeric,
    )}</div>
<p id="pager" hidden><button type="button" id="previous-rows">Previous</button> <button type="button" id="next-rows">Next</button> <span id="shown-rows" role="status"></span></p>${
      more === 0
        ? null
        : html`\n<noscript><p class="stamp">These are the first ${rows.length} cells; ${plural(more, 'more cell')} need JavaScript${files.includes('summary.csv') ? html`, or <a href="summary.csv">summary.csv</a>` : null}.</p></noscript>`
    }`;
  },
};
