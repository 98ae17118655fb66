import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { ReportInput } from '../../../src/report/model.ts';
import { writeReport } from '../../../src/report/write.ts';

export interface OpenOptions {
  readonly context?: BrowserContextOptions;
  readonly written?: Parameters<typeof writeReport>[2];
  /** A script that runs before those of the page. */
  readonly before?: string;
  /** Takes everything that a page must not do: what it prints, throws, asks and fetches. */
  readonly faults: string[];
}

/** Writes a report into a folder of its own below `folder`, opens it from file://, and watches what it does. */
export async function openPage(
  browser: Browser,
  folder: string,
  input: ReportInput | readonly ReportInput[],
  { context = {}, written = { formats: ['html'] }, before, faults }: OpenOptions,
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
