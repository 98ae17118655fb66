import { claimText, intervalNote, measuredText, whatText } from '../../published/text.ts';
import { html } from '../markup.ts';
import { table } from '../table.ts';
import type { Section } from './section.ts';

export const published: Section = {
  id: 'published',
  title: 'Published beside measured',
  render({ report }) {
    const [first] = report.published;
    if (first === undefined) return null;
    const { title, date } = first.source;
    const rows = report.published.map((row) => ({
      cells: [
        whatText(row),
        claimText(row),
        measuredText(row),
        row.differences.map(({ text }) => text).join('; '),
      ],
    }));
    return html`<p>Published: ${title}, ${date}. Measured: this run, and no more than it measured. ${intervalNote(report.published)}</p>
${table('Published figures beside measured ones', ['What', 'Published', 'Measured here', 'Not like for like'], rows)}`;
  },
};
