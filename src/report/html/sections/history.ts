import { raw } from 'hono/html';
import { html } from '../markup.ts';
import type { Section } from './section.ts';

export const history: Section = {
  id: 'history',
  title: 'Over time',
  render({ history: markup }) {
    return markup === null ? null : html`${raw(markup)}`;
  },
};
