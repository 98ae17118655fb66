import { html } from '../markup.ts';
import type { PageContext, Section } from './section.ts';

/** Drawn by the page's script from its data; without one, pictures beside the page and the tables say the same. */
export const charts: Section = {
  id: 'charts',
  title: 'Charts',
  render(context) {
    if (!context.report.rows.some(({ measured }) => measured !== null)) return null;
    return html`<noscript><p class="stamp">Charts and filters need JavaScript; every figure is in the tables below${
      context.files.some((file) => file.startsWith('charts/'))
        ? html`, and as pictures in <a href="charts/">charts/</a>`
        : null
    }.</p></noscript>
${filters(context)}
<div id="figures"></div>
<p><button type="button" id="more-figures" hidden>Show more charts</button></p>
<p id="no-figures" class="muted" role="status" hidden>No chart fits these filters.</p>`;
  },
};

/** Pills; a facet with one value needs none. */
function filters({ facets }: PageContext) {
  return html`<form id="filters" hidden aria-label="Filters">
<fieldset data-filter="kind"><legend>Show</legend><span class="pills"></span></fieldset>
${facets.all
  .filter(({ values }) => values.length > 1)
  .map(
    ({ name, title, values }) =>
      html`<fieldset data-filter="${name}"><legend>${title}</legend><span class="pills">${values.map(
        (value, index) =>
          html`<label class="pill"><input type="checkbox" value="${index}"><span>${value}</span></label>`,
      )}</span></fieldset>\n`,
  )}<p class="muted">Nothing chosen in a row means all. Charts, tables and sentences follow. <button type="reset" class="link">Reset filters</button></p>
</form>`;
}
