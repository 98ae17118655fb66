import { plural } from '../../describe.ts';
import type { AverageRow, Report } from '../../model.ts';
import { leftOutByRule, sentence, stamps } from '../../sentences.ts';
import { html } from '../markup.ts';
import type { Section } from './section.ts';

/** Sentences before the reader opens the rest. */
const FIRST_SENTENCES = 6;

/** Those of the sweep's first engine lead: it is the one that the others are asked about. */
function inOrder({ averages, manifest }: Report): AverageRow[] {
  const told = averages.filter((row) => !leftOutByRule(row));
  const isFirst = ({ engine }: AverageRow) => engine === manifest.engines[0]?.name;
  return [...told.filter(isFirst), ...told.filter((row) => !isFirst(row))];
}

export const summary: Section = {
  id: 'summary',
  title: 'Summary',
  render({ report, facets }) {
    const items = inOrder(report).map((row) => {
      const { who, what } = sentence(row);
      const at = facets.of({ ...row, engine: row.engine });
      return html`<li data-model="${at.model}" data-precision="${at.precision}" data-device="${at.device}" data-engine="${at.engine}" data-phase="${facets.phase(row.phase)}"><strong>${who}</strong>: ${what}</li>\n`;
    });
    const rest = items.slice(FIRST_SENTENCES);
    return html`${stamps(report).map((stamp) => html`<p class="stamp">${stamp}</p>\n`)}${
      items.length === 0
        ? html`<p>${report.averages.length === 0 ? 'The sweep names no baseline, so there are no speedups.' : 'The sweep’s rules leave nothing to compare.'}</p>`
        : html`<ul class="sentences">\n${items.slice(0, FIRST_SENTENCES)}</ul>`
    }${
      rest.length === 0
        ? null
        : html`\n<details><summary>${plural(rest.length, 'more comparison')}</summary><ul class="sentences">\n${rest}</ul></details>`
    }`;
  },
};
