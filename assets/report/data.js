// The data of the page, and the few elements that scripts need.

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @returns {T}
 */
export const element = (id) => /** @type {T} */ (document.getElementById(id));

/** @type {PageData} */
export const data = JSON.parse(element('data').textContent ?? '');

/**
 * @param {PageRow} row
 * @param {number} column
 */
export const textOf = (row, column) => data.texts[/** @type {number} */ (row.c[column])] ?? '';

/** Facets that rows have, in the order of PageRow.f; the others belong to figures. */
export const rowFacets = data.facets.slice(0, data.rows[0]?.f.length ?? 0).map(({ name }) => name);
