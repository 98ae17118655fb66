import { plural } from '../../describe.ts';
import { sentence, stamps } from '../../sentences.ts';
import { html } from '../markup.ts';
import type { Section } from './section.ts';

/** Sentences before the reader opens the rest. */
const FIRST_SENTENCES = 6;

export const summary: Section = {
  id: 'summary',
  title: 'Summary',
  render({ report, facets }) {
    const items = report.averages.map((row) => {
      const { who, what } = sentence(row);
      const at = facets.of({ ...row, engine: row.engine });
      return html`<li data-model="${at.model}" data-precision="${at.precision}" data-device="${at.device}" data-engine="${at.engine}" data-phase="${facets.phase(row.phase)}"><strong>${who}</strong>: ${what}</li>\n`;
    });
    const rest = items.slice(FIRST_SENTENCES);
    return html`${stamps(report).map((stamp) => html`<p class="stamp">${stamp}</p>\n`)}${
      items.length === 0
        ? html`<p>The sweep names no baseline, so there are no speedups.</p>`
        : html`<ul class="sentences">\n${items.slice(0, FIRST_SENTENCES)}</ul>`
    }${
      rest.length === 0
        ? null
        : html`\n<details><summary>${plural(rest.length, 'more comparison')}</summary><ul class="sentences">\n${rest}</ul></details>`
    }`;
  },
};
