// Light, dark, or as the reader's system says; on paper always light.

import { data, element } from './data.js';

const root = document.documentElement;
const systemIsDark = matchMedia('(prefers-color-scheme: dark)');
export let printing = false;

/** @returns {Theme} */
export function currentTheme() {
  if (printing) return data.themes.light;
  const name = root.dataset.theme ?? (systemIsDark.matches ? 'dark' : 'light');
  return name === 'dark' ? data.themes.dark : data.themes.light;
}

/** @type {HTMLDetailsElement[]} */
let unfolded = [];

/**
 * Paper cannot be opened: everything is, and closed again afterwards.
 * @param {boolean} open
 */
function unfold(open) {
  if (open) unfolded = [...document.querySelectorAll('details')].filter((details) => !details.open);
  for (const details of unfolded) details.open = open;
}

/** @param {() => void} changed */
export function startTheme(changed) {
  const button = element('theme');
  const show = () => {
    button.textContent = `Theme: ${root.dataset.theme ?? 'system'}`;
  };
  button.addEventListener('click', () => {
    const next = { system: 'light', light: 'dark', dark: 'system' }[root.dataset.theme ?? 'system'];
    if (next === 'system') delete root.dataset.theme;
    else root.dataset.theme = next;
    show();
    changed();
  });
  show();
  button.hidden = false;
  systemIsDark.addEventListener('change', changed);
  for (const [event, value] of /** @type {const} */ ([
    ['beforeprint', true],
    ['afterprint', false],
  ])) {
    addEventListener(event, () => {
      printing = value;
      changed();
      unfold(value);
    });
  }
}
