import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { makeInput } from '../fixtures.ts';
import { describeInChromium } from './open-page.ts';

interface Stop {
  /** What a screen reader would say. */
  readonly name: string;
  readonly role: string;
  readonly outline: string;
  /** Whether it stands behind the last stop in the page. */
  readonly follows: boolean;
  /** Top of it is below the bar and within the window. */
  readonly seen: boolean;
}

/** Of the element that has the focus; null when that is the page itself. */
const STOP = `(() => {
  const node = document.activeElement;
  if (node === null || node === document.body) return null;
  const label = node.getAttribute('aria-label') ?? (node.closest('label') ?? node).textContent.trim();
  const shown = node.matches('.pill input') ? node.nextElementSibling : node;
  const { outlineStyle, outlineWidth } = getComputedStyle(shown);
  const last = globalThis.lastStop;
  globalThis.lastStop = node;
  const { top, bottom } = shown.getBoundingClientRect();
  const bar = document.querySelector('.bar').getBoundingClientRect().bottom;
  return {
    name: label,
    role: node.getAttribute('role') ?? node.localName + (node.type ? ' ' + node.type : ''),
    outline: outlineStyle === 'none' ? 'none' : outlineWidth,
    follows: !last || (last.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0,
    seen: node.closest('.bar') !== null || (bottom > bar && top < innerHeight),
  };
})()`;

describeInChromium('the page by keyboard', ({ open: openPage }) => {
  let page: Page;
  const open = async (width = 1280) => {
    const input = makeInput({ generate: 4, batchSizes: [1, 4], promptLengths: [64] });
    page = await openPage(input, { context: { viewport: { width, height: 800 } } });
    // Charts are drawn when they come near the window.
    await page.locator('#more-figures, #figures figure:last-child').last().scrollIntoViewIfNeeded();
    await expect.poll(() => page.locator('.legend button').count()).toBeGreaterThan(4);
    await page.evaluate('scrollTo(0, 0)');
  };
  const press = async (key: string): Promise<Stop | null> => {
    await page.keyboard.press(key);
    return page.evaluate<Stop | null>(STOP);
  };

  test.each([400, 1280])(
    'at %i pixels TAB goes through everything in order, named and outlined',
    async (width) => {
      await open(width);
      const stops: Stop[] = [];
      for (let stop = await press('Tab'); stop !== null && stops.length < 400; stop = await press('Tab'))
        stops.push(stop);
      expect(stops.filter(({ name }) => name === '')).toEqual([]);
      expect(stops.filter(({ outline }) => outline === 'none')).toEqual([]);
      expect(stops.filter(({ follows }) => !follows)).toEqual([]);
      expect(stops.filter(({ seen }) => !seen)).toEqual([]);
      const roles = stops.map(({ role, name }) => `${role}: ${name}`);
      for (const expected of [
        'a: Summary',
        'button button: Theme: system',
        'input checkbox: int4',
        'button reset: Reset filters',
        'button button: ONNX Runtime',
        'button button: Prompt tokens/s',
        'button button: Download records.jsonl',
      ])
        expect(roles).toContain(expected);
      expect(roles).toContainEqual(expect.stringMatching(/^group: Prompt throughput – Llama Tiny/));
      expect(roles).toContainEqual(expect.stringMatching(/^region: 16 cells/));
    },
  );

  test('space and return filter, sort, and hide a series', async () => {
    await open();
    const focus = (selector: string, text: string) =>
      page.locator(selector, { hasText: text }).first().focus();
    await page
      .locator('.pill', { hasText: /^int4$/ })
      .locator('input')
      .focus();
    await page.keyboard.press('Space');
    await expect.poll(() => page.locator('#results-table tbody tr').count()).toBe(8);

    await focus('#results-table th button', 'Prompt tokens/s');
    await page.keyboard.press('Enter');
    expect(await page.locator('#results-table th[aria-sort=descending]').textContent()).toBe(
      'Prompt tokens/s',
    );
    await page.keyboard.press('Enter');
    expect(await page.locator('#results-table th[aria-sort=ascending]').textContent()).toBe(
      'Prompt tokens/s',
    );

    const visible = () =>
      page.evaluate<number>(
        "Chart.getChart(document.querySelector('#figures .plot canvas')).getVisibleDatasetCount()",
      );
    expect(await visible()).toBe(4);
    await focus('.legend button', 'llama.cpp');
    await page.keyboard.press('Space');
    expect(await page.locator('.legend button[aria-pressed=false]').allTextContents()).toEqual(['llama.cpp']);
    expect(await visible()).toBe(3);
    await page.keyboard.press('Space');
    expect(await visible()).toBe(4);
  });
});
