import type { ThemeName } from '../charts/palette.ts';
import { describeHardware, reportTitle } from '../describe.ts';
import type { Report } from '../model.ts';
import { pageAssets } from './assets.ts';
import { pageData } from './data.ts';
import { facetsOf } from './facets.ts';
import { type Html, html, scriptJson } from './markup.ts';
import type { RawRecords } from './raw.ts';
import { SECTIONS } from './sections/index.ts';
import type { PageContext } from './sections/section.ts';

export interface PageOptions {
  /** Null follows the reader's system. */
  readonly theme: ThemeName | null;
  readonly raw: RawRecords;
  /** Markup of stored runs over time, or null. */
  readonly history: string | null;
  /** Files of the report beside the page, for its links. */
  readonly files: readonly string[];
}

/** The whole report as one HTML file that needs nothing beside itself, in pieces. The same report gives the same bytes. */
export function* reportPage(report: Report, { theme, raw, history, files }: PageOptions): Generator<string> {
  const { style, scripts, policy } = pageAssets();
  const title = reportTitle(report.manifest);
  const context: PageContext = { report, facets: facetsOf(report), raw, history, files };
  const sections = SECTIONS.flatMap((section) => {
    const content = section.render(context);
    return content === null ? [] : [{ ...section, content }];
  });
  yield String(html`<!doctype html>
<html lang="en"${theme === null ? '' : html` data-theme="${theme}"`}>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="ortbench ${report.manifest.environment.ortbench}">
<title>${title}</title>
`);
  yield `<style>${style}</style>\n</head>\n<body>\n`;
  yield String(html`${header(report, title, sections)}
<main>
`);
  for (const { id, title: heading, content } of sections) {
    yield String(html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${heading}</h2>
${content}
</section>
`);
  }
  yield `</main>\n<script type="application/json" id="data">${scriptJson(pageData(report))}</script>\n`;
  if (raw.kind === 'inline') {
    yield `<script type="text/plain" id="raw">${raw.base64}</script>\n`;
  }
  for (const script of scripts) yield `<script>${script}</script>\n`;
  yield '</body>\n</html>\n';
}

function header(
  { manifest }: Report,
  title: string,
  sections: readonly { readonly id: string; readonly title: string }[],
): Html {
  return html`<header>
<div class="bar"><nav aria-label="Sections">${sections.map(({ id, title: heading }) => html`<a href="#${id}">${heading}</a> `)}</nav>
<button type="button" id="theme" hidden>Theme: system</button></div>
<h1>${title}</h1>
<p class="lead">${manifest.models
    .map(({ title: model }) => model)
    .slice(0, 6)
    .join(' · ')}${manifest.models.length > 6 ? ` and ${manifest.models.length - 6} more` : ''}</p>
<p class="muted">${describeHardware(manifest)}. Measured ${manifest.createdAt.slice(0, 10)}, run ${manifest.runId}.</p>
</header>`;
}
