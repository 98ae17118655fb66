// The table of results: all cells that fit the filters, sorted by any column, a page at a time.

import { data, element, textOf } from './data.js';
import { fits, rowFits } from './filters.js';

const ROWS_AT_ONCE = 100;
let firstRow = 0;
/** @type {{ column: number, direction: 1 | -1 } | null} */
let sorting = null;

/**
 * The first number of a text, as the table shows it; empty ones go last whichever way one sorts.
 * @param {string} text
 */
const numberIn = (text) => Number.parseFloat(text.replaceAll(',', ''));

const collator = new Intl.Collator('en', { numeric: true });

/**
 * @param {readonly PageRow[]} rows
 * @returns {readonly PageRow[]}
 */
function sortRows(rows) {
  if (sorting === null) return rows;
  const { column, direction } = sorting;
  const { numeric } = /** @type {PageData['columns'][number]} */ (data.columns[column]);
  const keyed = rows.map((row) => ({ row, text: textOf(row, column) }));
  const [empty, full] = [keyed.filter(({ text }) => text === ''), keyed.filter(({ text }) => text !== '')];
  full.sort(
    (a, b) => direction * (numeric ? numberIn(a.text) - numberIn(b.text) : collator.compare(a.text, b.text)),
  );
  return [...full, ...empty].map(({ row }) => row);
}

/**
 * As html/table.ts has it: longer texts get a column of some width.
 * @param {string} text
 */
const isLong = (text) => text.length > 24;

/** Columns of the phases that the reader asks for. */
const shownColumns = () =>
  data.columns
    .map((column, index) => ({ ...column, index }))
    .filter(({ phase }) => phase < 0 || fits('phase', phase));

export function showRows() {
  const table = document.querySelector('#results-table table');
  if (!(table instanceof HTMLTableElement)) return;
  const rows = sortRows(data.rows.filter(rowFits));
  firstRow = Math.min(firstRow, Math.max(0, Math.floor((rows.length - 1) / ROWS_AT_ONCE) * ROWS_AT_ONCE));
  const columns = shownColumns();
  table.tHead?.replaceChildren(headOf(columns));
  table.tBodies[0]?.replaceChildren(
    ...rows.slice(firstRow, firstRow + ROWS_AT_ONCE).map((row) => {
      const line = document.createElement('tr');
      for (const { index, numeric } of columns) {
        const cell = line.insertCell();
        cell.textContent = textOf(row, index);
        if (numeric) cell.className = 'number';
        else if (isLong(cell.textContent)) cell.className = 'long';
      }
      return line;
    }),
  );
  const last = Math.min(rows.length, firstRow + ROWS_AT_ONCE);
  const paged = rows.length > ROWS_AT_ONCE;
  element('shown-rows').textContent =
    rows.length === 0 ? 'No cell fits these filters.' : `Cells ${firstRow + 1}–${last} of ${rows.length}`;
  const [previous, next] = [element('previous-rows'), element('next-rows')];
  previous.hidden = next.hidden = !paged;
  /** @type {HTMLButtonElement} */ (previous).disabled = firstRow === 0;
  /** @type {HTMLButtonElement} */ (next).disabled = last === rows.length;
}

/** @param {ReturnType<typeof shownColumns>} columns */
function headOf(columns) {
  const line = document.createElement('tr');
  for (const { index, title, numeric } of columns) {
    const head = document.createElement('th');
    head.scope = 'col';
    if (numeric) head.className = 'number';
    const state = sorting?.column === index ? (sorting.direction === 1 ? 'ascending' : 'descending') : 'none';
    head.ariaSort = state;
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = title;
    button.dataset.sorted = state;
    button.addEventListener('click', () => {
      // Figures are asked for from the largest.
      const first = numeric ? -1 : 1;
      const again = sorting?.column === index;
      sorting = { column: index, direction: again ? (sorting?.direction === 1 ? -1 : 1) : first };
      firstRow = 0;
      showRows();
      focusHead(index);
    });
    head.append(button);
    line.append(head);
  }
  return line;
}

/**
 * The head was made anew: the keyboard stays where it was.
 * @param {number} index
 */
function focusHead(index) {
  const place = shownColumns().findIndex((column) => column.index === index);
  /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('#results-table th button'))[
    place
  ]?.focus();
}

export function startTable() {
  if (document.querySelector('#results-table') === null) return;
  for (const [id, step] of /** @type {const} */ ([
    ['previous-rows', -ROWS_AT_ONCE],
    ['next-rows', ROWS_AT_ONCE],
  ])) {
    element(id).addEventListener('click', () => {
      firstRow = Math.max(0, firstRow + step);
      showRows();
    });
  }
  element('pager').hidden = false;
  showRows();
}
