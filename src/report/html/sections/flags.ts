import { FLAGS } from '../../../stats/flags.ts';
import { flagGroups } from '../../causes.ts';
import { html } from '../markup.ts';
import { table } from '../table.ts';
import type { Section } from './section.ts';

export const flags: Section = {
  id: 'flags',
  title: 'What is doubtful',
  render({ report }) {
    const groups = flagGroups(report.rows);
    if (groups.length === 0) return null;
    const rows = groups.map(({ name, cells, example }) => ({
      cells: [name, String(cells), example, FLAGS[name]],
    }));
    return html`<p>Nothing was left out because of a flag; the table of results names the flags of every cell.</p>
${table('Flags', ['Flag', 'Cells', 'For example', 'What to do'], rows, [1])}`;
  },
};
