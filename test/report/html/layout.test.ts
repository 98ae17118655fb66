import { expect, test } from 'vitest';
import { makeInput } from '../fixtures.ts';
import { describeInChromium } from './open-page.ts';

describeInChromium('the page while it is drawn', ({ open }) => {
  test.each([400, 1280])('at %i pixels nothing moves when a chart is drawn', async (width) => {
    const input = makeInput({ generate: 4, batchSizes: [1, 4], promptLengths: [64] });
    const page = await open(input, { context: { viewport: { width, height: 500 } } });
    const figures = page.locator('#figures figure');
    const heights = () =>
      figures.evaluateAll((nodes) => nodes.map((node) => node.getBoundingClientRect().height));
    const drawn = () =>
      page.evaluate<number>(`[...document.querySelectorAll('.plot canvas')]
      .filter((canvas) => canvas.style.height !== '').length`);
    const before = await heights();
    const count = await figures.count();
    expect(await drawn()).toBeLessThan(count);
    for (const figure of await figures.all()) await figure.scrollIntoViewIfNeeded();
    await expect.poll(drawn).toBe(count);
    expect(await heights()).toEqual(before);
  });

  test('a series can be hidden in the chart that its legend was there before', async () => {
    const input = makeInput({ generate: 4, batchSizes: [1, 4], promptLengths: [64] });
    const page = await open(input, { context: { viewport: { width: 400, height: 500 } } });
    const last = page.locator('#figures figure').last();
    await last.scrollIntoViewIfNeeded();
    const picture = () =>
      last
        .locator('.plot canvas')
        .evaluate((canvas) => (canvas as unknown as { toDataURL(): string }).toDataURL());
    const whole = await picture();
    const button = last.locator('.legend button').first();
    await button.click();
    expect(await button.getAttribute('aria-pressed')).toBe('false');
    await expect.poll(picture).not.toBe(whole);
  });
});
