import { formatNumber } from '../../../units.ts';
import { html } from '../markup.ts';
import type { Section } from './section.ts';

/** What is in each file beside the page. */
const FILES: readonly (readonly [file: string, what: string])[] = [
  ['summary.csv', 'one row for each cell: status, rates, latencies, memory, flags'],
  ['speedups.csv', 'one row for each cell, phase and baseline'],
  ['averages.csv', 'one row for each engine, phase and baseline'],
  ['samples.csv', 'one row for each cell and round, raw nanoseconds of every run'],
  ['headline.md', 'the sentences, as Markdown'],
];

export const downloads: Section = {
  id: 'downloads',
  title: 'Raw records',
  render({ raw, files }) {
    const records = `${formatNumber(raw.count)} records, every timed step in nanoseconds`;
    const beside = FILES.filter(([file]) => files.includes(file));
    return html`${
      raw.kind === 'inline'
        ? html`<p><button type="button" id="download-raw" hidden>Download records.jsonl</button> ${records}; they are inside this page. <span id="download-error" role="alert"></span></p>
<noscript><p>The button needs JavaScript. Without it: the element with id “raw” holds them, gzip in base64.</p></noscript>`
        : html`<p><a href="${raw.path}" download>${raw.path}</a>: ${records}; too many for this page, so they lie beside it.</p>`
    }
${
  beside.length === 0
    ? null
    : html`<p>Beside this page, where the report was written:</p>
<ul>${beside.map(([file, what]) => html`<li><a href="${file}">${file}</a>: ${what}</li>`)}</ul>`
}`;
  },
};
