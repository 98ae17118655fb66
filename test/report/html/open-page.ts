import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import type { ReportInput } from '../../../src/report/model.ts';
import { writeReport } from '../../../src/report/write.ts';
import { findChromium, startChromium } from '../chromium.ts';

export interface OpenOptions {
  readonly context?: BrowserContextOptions;
  readonly written?: Parameters<typeof writeReport>[2];
  /** A script that runs before those of the page. */
  readonly before?: string;
}

export interface Chromium {
  /** For files of the tests' own; there while they run. */
  folder(): string;
  /**
   * Writes a report into a folder of its own, opens it from file://, and watches what it does. After each test its pages are
   * closed, and the test fails when one of them did what a page must not: print, throw, ask, fetch.
   */
  open(input: ReportInput | readonly ReportInput[], options?: OpenOptions): Promise<Page>;
}

/** Tests in one headless Chromium; skipped, and so said in the title, where there is none. */
export function describeInChromium(title: string, tests: (chromium: Chromium) => void): void {
  const found = findChromium();
  const skipped =
    found === null ? ' (skipped: no Chromium on the path, and none named by ORTBENCH_CHROMIUM)' : '';
  describe.skipIf(found === null)(`${title}${skipped}`, () => {
    let folder: string;
    let browser: Browser;
    const pages: Page[] = [];
    const faults: string[] = [];
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'ortbench-page-'));
      browser = await startChromium(found!);
    });
    afterAll(async () => {
      await browser?.close();
      await rm(folder, { recursive: true, force: true });
    });
    afterEach(async () => {
      for (const page of pages.splice(0)) await page.context().close();
      expect(faults.splice(0)).toEqual([]);
    });
    tests({
      folder: () => folder,
      async open(input, options = {}) {
        const page = await openPage(browser, folder, input, options, faults);
        pages.push(page);
        return page;
      },
    });
  });
}

/** `faults` takes everything that a page must not do. */
async function openPage(
  browser: Browser,
  folder: string,
  input: ReportInput | readonly ReportInput[],
  { context = {}, written = { formats: ['html'] }, before }: OpenOptions,
  faults: string[],
): Promise<Page> {
  const dir = await mkdtemp(join(folder, 'report-'));
  await writeReport(input, dir, written);
  const page = await (await browser.newContext(context)).newPage();
  if (before !== undefined) await page.addInitScript({ path: before });
  page.on('console', (message) => {
    if (message.type() !== 'debug') faults.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const url = pathToFileURL(join(dir, 'report.html')).href;
  page.on('request', (request) => {
    if (request.url() !== url && !request.url().startsWith('blob:')) faults.push(`request: ${request.url()}`);
  });
  await page.goto(url);
  return page;
}
