import type { Report } from '../../model.ts';
import type { Facets } from '../facets.ts';
import type { Html } from '../markup.ts';
import type { RawRecords } from '../raw.ts';

export interface PageContext {
  readonly report: Report;
  readonly facets: Facets;
  readonly raw: RawRecords;
  /** Stored runs over time, as markup that is escaped already; null when the report was given none. */
  readonly history: string | null;
  /** Files written beside the page, relative to it. */
  readonly files: readonly string[];
}

/**
 * A part of the page: a file in this folder and a line in index.ts. It must say what it has to say without a script;
 * elements with data-<facet> attributes (table.ts) follow the reader's filters.
 */
export interface Section {
  /** Anchor, and the id of the element. */
  readonly id: string;
  readonly title: string;
  /** Null when there is nothing to show. */
  render(context: PageContext): Html | null;
}
