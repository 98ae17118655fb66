// Which values of each facet the reader chose; none of a facet means all.

import { data, rowFacets } from './data.js';

/** @type {Map<string, Set<number>>} */
const chosen = new Map();

/**
 * @param {string} facet
 * @param {number | undefined} value
 */
export const fits = (facet, value) => {
  const values = chosen.get(facet);
  return values === undefined || values.size === 0 || value === undefined || values.has(value);
};

/** @param {PageRow} row */
export const rowFits = (row) => rowFacets.every((facet, index) => fits(facet, row.f[index]));

const kinds = [...new Set(data.figures.map(({ kind }) => kind))];

/** @param {PageFigure} figure */
export const figureFits = (figure) =>
  fits('kind', kinds.indexOf(figure.kind)) &&
  Object.entries(figure.facets).every(([facet, value]) => fits(facet, value)) &&
  figure.series.some(({ engine }) => fits('engine', engine));

/** Everything with data-<facet> attributes: rows of small tables, sentences. */
function hideOthers() {
  for (const node of document.querySelectorAll('[data-model], [data-engine]')) {
    const { dataset } = /** @type {HTMLElement} */ (node);
    const fit = data.facets.every(({ name }) => {
      const value = dataset[name];
      return value === undefined || fits(name, Number(value));
    });
    /** @type {HTMLElement} */ (node).hidden = !fit;
  }
}

/**
 * Pills for the kinds of charts, which only the data knows.
 * @param {HTMLElement} form
 */
function addKinds(form) {
  const fieldset = /** @type {HTMLElement} */ (form.querySelector('[data-filter=kind]'));
  fieldset.hidden = kinds.length < 2;
  for (const [index, kind] of kinds.entries()) {
    const input = document.createElement('input');
    input.type = 'checkbox';
    input.value = String(index);
    const label = document.createElement('label');
    label.className = 'pill';
    label.append(input, Object.assign(document.createElement('span'), { textContent: kind }));
    fieldset.querySelector('.pills')?.append(label);
  }
}

/** @param {() => void} changed */
export function startFilters(changed) {
  const form = document.querySelector('form#filters');
  if (!(form instanceof HTMLFormElement)) return;
  addKinds(form);
  const read = () => {
    for (const fieldset of form.querySelectorAll('fieldset')) {
      const checked = [...fieldset.querySelectorAll('input')].filter((input) => input.checked);
      chosen.set(fieldset.dataset.filter ?? '', new Set(checked.map(({ value }) => Number(value))));
    }
    hideOthers();
    changed();
  };
  form.addEventListener('change', read);
  form.addEventListener('submit', (event) => event.preventDefault());
  // The fields are empty only after the event.
  form.addEventListener('reset', () => setTimeout(read));
  // Browsers keep what was checked over a reload.
  form.reset();
  form.hidden = false;
}
