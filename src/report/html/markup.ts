import { html as tagged } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';

/** Markup whose inserted strings are escaped; only another `Html` goes in as it is. */
export type Html = HtmlEscapedString;

/** What `html` takes between its pieces. Asynchronous values would make its answer a promise, so there are none. */
type Inserted = Html | string | number | false | null | undefined | readonly Inserted[];

/** hono's tagged template, which escapes & < > " ' in every inserted string. */
export const html = (pieces: TemplateStringsArray, ...values: readonly Inserted[]): Html =>
  tagged(pieces, ...values.map(visible)) as Html;

/** Control and bidirectional characters of a record would change what stands around them. */
const visible = (value: Inserted): unknown => {
  if (Array.isArray(value)) return value.map(visible);
  if (typeof value !== 'string') return value;
  return value.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').replace(/[\u202a-\u202e\u2066-\u2069\ufeff]/gu, '');
};

/** JSON that can stand in a script element: no "<" of it can end the element or begin a comment. */
export const scriptJson = (value: unknown): string =>
  JSON.stringify(value)
    .replace(/</g, '\\u003c')
    .replace(/\u2028/g, '\\u2028')
    .replace(/\u2029/g, '\\u2029');
