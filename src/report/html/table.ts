import { type Html, html } from './markup.ts';

export interface Row {
  readonly cells: readonly (string | Html)[];
  /** Where the filters of the page look: indices into the values of each facet. */
  readonly facets?: Readonly<Record<string, number>>;
}

/** Longer texts get a column of some width. */
const LONG = 24;

/**
 * A table that scrolls on its own where it is wider than the page.
 * @param numeric indices of columns that are set to the right.
 */
export function table(
  caption: string,
  head: readonly string[],
  rows: readonly Row[],
  numeric: readonly number[] = [],
): Html {
  const cell = (content: string | Html, index: number) =>
    numeric.includes(index)
      ? html`<td class="number">${content}</td>`
      : typeof content === 'string' && content.length > LONG
        ? html`<td class="long">${content}</td>`
        : html`<td>${content}</td>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${head.map((text, index) => (numeric.includes(index) ? html`<th scope="col" class="number">${text}</th>` : html`<th scope="col">${text}</th>`))}</tr></thead>
<tbody>
${rows.map(({ cells, facets = {} }) => html`<tr${attributes(facets)}>${cells.map(cell)}</tr>\n`)}</tbody></table></div>`;
}

const attributes = (facets: Readonly<Record<string, number>>): Html[] =>
  Object.entries(facets).map(([name, index]) => html` data-${name}="${index}"`);
