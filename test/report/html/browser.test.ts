import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { readHistory } from '../../../src/history/history.ts';
import { historySection } from '../../../src/history/section.ts';
import type { writeReport } from '../../../src/report/write.ts';
import { SLOWER, writeNights } from '../../history/nights.ts';
import { ENGINES, type FixtureOptions, HOSTILE, makeInput } from '../fixtures.ts';
import { describeInChromium } from './open-page.ts';

describeInChromium('the page in headless Chromium', ({ open: openPage, folder }) => {
  let page: Page;

  const mixed: FixtureOptions = {
    models: [
      { name: 'llama-tiny', title: 'Llama Tiny' },
      { name: 'phi-2', title: 'Phi-2' },
    ],
    batchSizes: [1, 4],
    promptLengths: [64, 256],
    generate: 8,
    verdict: ({ engine, model }) =>
      engine === 'pytorch-compile' && model === 'phi-2' ? 'mismatch' : 'match',
  };

  async function open(
    options: FixtureOptions,
    context: BrowserContextOptions = {},
    written: Parameters<typeof writeReport>[2] = { formats: ['html'] },
  ): Promise<Page> {
    page = await openPage(makeInput(options), { context, written });
    return page;
  }

  const pill = (text: string) => page.locator('.pill', { hasText: new RegExp(`^${text}$`) });
  const titles = () => page.locator('#figures h3').allTextContents();
  const rows = () => page.locator('#results-table tbody tr');
  const column = async (title: string): Promise<string[]> => {
    const heads = await page.locator('#results-table th button').allTextContents();
    const place = heads.indexOf(title);
    expect(place, title).toBeGreaterThanOrEqual(0);
    return page.locator(`#results-table tbody td:nth-child(${place + 1})`).allTextContents();
  };

  test('filters filter charts, tables and sentences; a reset brings all back', async () => {
    await open(mixed);
    expect(await rows().count()).toBe(64);
    const all = await titles();
    expect(all.length).toBe(6);
    await expect.poll(() => page.locator('#figures .plot canvas').count()).toBe(6);

    await pill('phi-2').click();
    await pill('int4').click();
    expect(new Set(await column('Model'))).toEqual(new Set(['phi-2']));
    expect(new Set(await column('Precision'))).toEqual(new Set(['int4']));
    expect(await rows().count()).toBe(16);
    for (const title of await titles()) expect(title).toMatch(/Phi-2, int4/);
    expect((await titles()).length).toBe(4);
    const sentences = page.locator('.sentences li:visible');
    for (const text of await sentences.allTextContents()) expect(text).toContain('phi-2, int4');

    await pill('Prompt throughput').click();
    expect((await titles()).length).toBe(2);
    expect(await page.locator('#results-table th', { hasText: 'Generation tokens/s' }).count()).toBe(0);
    await pill('ONNX Runtime').click();
    expect(await rows().count()).toBe(4);
    await pill('Throughput').click();
    expect((await titles()).length).toBe(1);
    const engines = await page.evaluate(
      "Chart.getChart(document.querySelector('#figures .plot canvas')).data.datasets.map(({ label }) => label)",
    );
    expect(engines).toEqual(['ONNX Runtime']);

    await page.locator('button[type=reset]').click();
    await expect.poll(() => rows().count()).toBe(64);
    expect(await titles()).toEqual(all);
    await page.locator('#more-figures').click();
    expect((await titles()).length).toBe(12);
  });

  test('columns sort both ways, by number and by text, empty cells last', async () => {
    await open({
      ...mixed,
      fault: ({ engine }) => (engine === 'llamacpp' ? { status: 'failed', reason: 'x' } : null),
    });
    const sort = (title: string) =>
      page.locator('#results-table th button', { hasText: title }).first().click();
    await sort('Prompt tokens/s');
    const falling = await column('Prompt tokens/s');
    const numbers = (texts: string[]) =>
      texts.filter((text) => text !== '').map((text) => Number(text.replaceAll(',', '')));
    expect(numbers(falling)).toEqual(numbers(falling).toSorted((a, b) => b - a));
    expect(falling.slice(-8)).toEqual(Array(8).fill(''));
    await sort('Prompt tokens/s');
    const rising = await column('Prompt tokens/s');
    expect(numbers(rising)).toEqual(numbers(falling).toReversed());
    expect(rising.at(-1)).toBe('');
    expect(await page.locator('#results-table th[aria-sort=ascending]').count()).toBe(1);
    await sort('Engine');
    const names = await column('Engine');
    expect(names).toEqual(names.toSorted((a, b) => a.localeCompare(b, 'en')));
    // The keyboard goes on from the head that was pressed.
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Engine');
  });

  test('the pointer on a bar shows its value, interval and speedup', async () => {
    await open(mixed);
    const canvas = page.locator('#figures .plot canvas').first();
    await canvas.scrollIntoViewIfNeeded();
    const chart = "Chart.getChart(document.querySelector('#figures .plot canvas'))";
    const place = await page.evaluate<{ x: number; y: number }>(
      `(({ x, y, base }) => ({ x, y: (y + base) / 2 }))(${chart}.getDatasetMeta(0).data[0])`,
    );
    await canvas.hover({ position: place });
    const said = await page.evaluate<{ opacity: number; text: string }>(
      `(({ opacity, title, body, footer }) =>
        ({ opacity, text: [...title, ...body.flatMap(({ lines }) => lines), ...footer].join(' | ') }))(${chart}.tooltip)`,
    );
    expect(said.opacity).toBe(1);
    expect(said.text).toMatch(/batch 1, prompt 64 \| ONNX Runtime: [\d,.]+ tokens\/s, 2\.\d+× \| 95 %: /);
  });

  test('the theme follows the system, then the button; --theme sets the first', async () => {
    const paper = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    const ink = () =>
      page.evaluate<string>(
        "Chart.getChart(document.querySelector('#figures .plot canvas')).options.scales.x.ticks.color",
      );
    await open(mixed, { colorScheme: 'dark' });
    expect(await paper()).toBe('rgb(18, 24, 31)');
    const dark = await ink();
    await page.locator('#theme').click();
    expect(await page.locator('#theme').textContent()).toBe('Theme: light');
    expect(await paper()).toBe('rgb(255, 255, 255)');
    expect(await ink()).not.toBe(dark);
    await page.context().close();
    await open(mixed, { colorScheme: 'light' }, { formats: ['html'], theme: 'dark' });
    expect(await paper()).toBe('rgb(18, 24, 31)');
    await page.emulateMedia({ media: 'print' });
    expect(await paper()).not.toBe('rgb(18, 24, 31)');
  });

  test('the records inside the page come back as they were', async () => {
    const options = { ...mixed, rounds: 1 };
    await open(options);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('#download-raw').click(),
    ]);
    expect(download.suggestedFilename()).toBe('records.jsonl');
    const lines = (await readFile(await download.path(), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const [manifest, ...records] = lines;
    expect(manifest).toMatchObject({ kind: 'manifest', runId: '20260301-120000-fixture' });
    expect(manifest).not.toHaveProperty('config');
    expect(records).toEqual(makeInput(options).records);
  });

  test('hostile names are text, and nothing of them runs', async () => {
    await open({
      models: HOSTILE.map((name) => ({ name, title: name, origin: name })),
      engines: ENGINES.map((engine, index) => ({ ...engine, title: HOSTILE[index + 6]! })),
      title: '</title><script>alert(1)</script><img src=x onerror=alert(2)>',
      precisions: ['fp32'],
      batchSizes: [1],
      promptLengths: [8],
      rounds: 1,
      generate: 2,
      fault: ({ engine }) =>
        engine === 'llamacpp'
          ? { status: 'failed', reason: '"><img src=x onerror=alert(3)><!--</script>' }
          : null,
    });
    expect(await page.title()).toContain('</title><script>alert(1)</script>');
    expect(await page.locator('img, iframe, object, embed, link, base, script[src]').count()).toBe(0);
    expect(await page.locator('script').count()).toBe(4);
    expect(await page.locator('#results-table').textContent()).toContain('<script>alert(1)</script>');
    for (const link of await page
      .locator('a')
      .evaluateAll((nodes) => nodes.map((node) => node.getAttribute('href')))) {
      expect(link).toMatch(/^(#[a-z]+|[a-z.]+)$/);
    }
    for (let more = page.locator('#more-figures'); await more.isVisible(); ) await more.click();
    expect((await titles()).length).toBeGreaterThan(HOSTILE.length);
  });

  test('without JavaScript the tables and sentences are there, and no dead button', async () => {
    await open(mixed, { javaScriptEnabled: false });
    expect(await rows().count()).toBe(64);
    expect(await page.locator('#results-table tbody tr').first().textContent()).toContain('ONNX Runtime');
    expect(await page.locator('.sentences li').count()).toBeGreaterThan(4);
    expect(await page.locator('button:visible').count()).toBe(0);
    expect(await page.locator('form:visible').count()).toBe(0);
    expect(await page.locator('noscript').first().textContent()).toContain('need JavaScript');
  });

  test.each([400, 1600])('at %i pixels nothing is wider than the window', async (width) => {
    await open(mixed, { viewport: { width, height: 900 } });
    await expect.poll(() => page.locator('#figures .plot canvas').count()).toBe(6);
    const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
    expect(wide).toBeLessThanOrEqual(width);
  });

  test('stored runs over time: a section with its charts, which the pointer and the theme reach', async () => {
    const nights = join(folder(), 'nights');
    writeNights(nights, SLOWER);
    const history = historySection(await readHistory([nights]));
    await open(mixed, { viewport: { width: 400, height: 900 } }, { formats: ['html'], history });
    await page.locator('nav a', { hasText: 'Over time' }).click();
    const section = page.locator('section#history');
    await expect.poll(() => section.evaluate((node) => node.getBoundingClientRect().top)).toBeLessThan(120);
    expect(await section.locator('h2').textContent()).toBe('Over time');
    expect(await section.locator('p').first().textContent()).toContain('24 runs');
    expect(await section.locator('.slower').count()).toBe(4);
    const charts = section.locator('figure.trend svg');
    expect(await charts.count()).toBe(2);
    expect(await charts.first().locator('title').first().textContent()).toContain(
      'Prompt throughput over time',
    );
    const hovered = charts.first().locator('circle title', { hasText: 'tokens/s' });
    expect(await hovered.first().textContent()).toContain('night-000');

    // Letters stay as large as elsewhere: the chart scrolls, the page does not.
    const { width } = (await charts.first().boundingBox())!;
    expect(width).toBeGreaterThan(700);
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(400);
    const filter = () =>
      page.evaluate<string>("getComputedStyle(document.querySelector('figure.trend svg')).filter");
    expect(await filter()).toBe('none');
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await filter()).toContain('invert');
    await page.emulateMedia({ colorScheme: 'dark', media: 'print' });
    expect(await filter()).toBe('none');
    await section.locator('details summary').last().click();
    expect(await section.locator('details').last().locator('tbody tr').count()).toBe(24);
  });

  test('ten thousand cells: a page at a time, sorted and filtered in a moment', async () => {
    const lengths = Array.from({ length: 125 }, (_, i) => (i + 1) * 16);
    await open({
      models: Array.from({ length: 10 }, (_, i) => ({ name: `model-${i}`, title: `Model ${i}` })),
      batchSizes: [1, 4],
      promptLengths: lengths,
      precisions: ['int4'],
      rounds: 1,
      generate: 2,
      noise: 0.02,
    });
    expect(await page.locator('#shown-rows').textContent()).toBe('Cells 1–100 of 10000');
    const html = await readFile(new URL(page.url()), 'utf8');
    expect(html.length).toBeLessThan(8e6);
    const before = Date.now();
    await page.locator('#results-table th button', { hasText: 'Prompt tokens/s' }).first().click();
    await pill('model-7').click();
    expect(await page.locator('#shown-rows').textContent()).toBe('Cells 1–100 of 1000');
    await page.locator('#next-rows').click();
    expect(await page.locator('#shown-rows').textContent()).toBe('Cells 101–200 of 1000');
    expect(Date.now() - before).toBeLessThan(20_000);
    expect(new Set(await column('Model'))).toEqual(new Set(['model-7']));
  });
});
