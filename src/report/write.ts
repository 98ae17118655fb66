import type { Figure } from './charts/figure.ts';
import type { ThemeName } from './charts/palette.ts';
import type { ImageFormat } from './charts/render.ts';
import { averagesCsv, importedCsv, samplesCsv, speedupsCsv, summaryCsv } from './csv.ts';
import { gather } from './gather.ts';
import { type ChartLink, headlineMarkdown } from './headline.ts';
import { withoutPaths } from './machine-paths.ts';
import { oneLine } from './markdown.ts';
import type { Report, ReportInput } from './model.ts';
import { type OutputFile, type PublishFs, publish } from './publish.ts';

export const REPORT_FORMATS = ['csv', 'png', 'svg', 'md', 'html'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

export interface WriteReportOptions {
  /** All unless given. */
  readonly formats?: readonly ReportFormat[];
  /** Names of the machines, in the order of the runs. */
  readonly machines?: readonly string[];
  /** Of pictures and page; without one pictures are light, and the page follows its reader's system. */
  readonly theme?: ThemeName | undefined;
  /** Instead of the sweep's own. */
  readonly title?: string | undefined;
  /** Stored runs over time, for the page: markup, escaped and without folders of the machine. */
  readonly history?: string | undefined;
  /** For tests that make the disk fail. */
  readonly fs?: PublishFs;
}

const CHART_FOLDER = 'charts';
const PAGE_FILE = 'report.html';

/**
 * Makes the whole report from manifest and records alone: summary.csv, speedups.csv, averages.csv, samples.csv,
 * charts/*.png and *.svg, headline.md, report.html and report.json. The same records give the same bytes.
 * @param input of several runs one report is made, which keeps them apart (gather.ts)
 * @param outDir made when missing; files of an earlier report that this one no longer has are removed.
 * @returns the files written, relative to `outDir`, and what they were made from.
 * @throws InfrastructureError when they cannot be written; an earlier report is then untouched.
 */
export async function writeReport(
  input: ReportInput | readonly ReportInput[],
  outDir: string,
  { fs, title, machines = [], ...options }: WriteReportOptions = {},
): Promise<{ files: string[]; report: Report }> {
  const inputs = ('manifest' in input ? [input] : input).map((one) => {
    const clean = withoutPaths(one);
    return title === undefined ? clean : { ...clean, manifest: { ...clean.manifest, title: oneLine(title) } };
  });
  const report = gather(inputs, machines);
  return { files: await publish(outDir, listed(inputs, report, options), fs), report };
}

/** The page comes last: it links to what lies beside it. */
async function* listed(
  inputs: readonly ReportInput[],
  report: Report,
  { formats = REPORT_FORMATS, theme, history }: Pick<WriteReportOptions, 'formats' | 'theme' | 'history'>,
): AsyncGenerator<OutputFile> {
  const files: string[] = [];
  for await (const file of outputs(report, formats, theme)) {
    files.push(file.path);
    yield file;
  }
  if (!formats.includes('html')) return;
  const { reportPage } = await import('./html/page.ts');
  const { rawRecords } = await import('./html/raw.ts');
  const raw = await rawRecords(inputs);
  if (raw.kind === 'beside') yield { path: raw.path, content: raw.content };
  yield {
    path: PAGE_FILE,
    content: reportPage(report, { theme: theme ?? null, raw, history: history ?? null, files }),
  };
}

/** Charts first: the headline links to those that were drawn. */
async function* outputs(
  report: Report,
  formats: readonly ReportFormat[],
  theme: ThemeName | undefined,
): AsyncGenerator<OutputFile> {
  if (formats.includes('csv')) {
    yield { path: 'summary.csv', content: summaryCsv(report) };
    yield { path: 'speedups.csv', content: speedupsCsv(report) };
    yield { path: 'averages.csv', content: averagesCsv(report) };
    yield { path: 'samples.csv', content: samplesCsv(report) };
    if (report.imported.length > 0) yield { path: 'imported.csv', content: importedCsv(report) };
  }
  const links: ChartLink[] = [];
  let leftOut = 0;
  const images: ImageFormat[] = formats.filter((format) => format === 'png' || format === 'svg');
  if (
    images.length > 0 &&
    report.rows.some(({ measured, imported }) => measured !== null || imported !== null)
  ) {
    // Loading the chart libraries takes longer than all the rest, and CSV alone has no need of them.
    const { chooseFigures } = await import('./charts/choose.ts');
    const chosen = chooseFigures(report);
    leftOut = chosen.leftOut;
    yield* pictures(chosen.figures, images, theme);
    // One picture of each chart: the first format asked for.
    links.push(
      ...chosen.figures.map(({ model, title, stem }) => ({
        model,
        title,
        file: pictureFile(stem, images[0]!),
      })),
    );
  }
  if (formats.includes('md')) {
    yield { path: 'headline.md', content: headlineMarkdown(report, { links, leftOut }) };
  }
}

const pictureFile = (stem: string, format: ImageFormat): string => `${CHART_FOLDER}/${stem}.${format}`;

/** A figure is drawn while the pixels of the one before it are compressed on another thread. */
async function* pictures(
  figures: readonly Figure[],
  images: readonly ImageFormat[],
  theme: ThemeName | undefined,
): AsyncGenerator<OutputFile> {
  const { render } = await import('./charts/render.ts');
  let drawn: { path: string; content: Promise<Buffer> }[] = [];
  for (const figure of figures) {
    const next = images.map((format) => {
      const content = render(figure, format, theme);
      // One that fails is reported where it is awaited; until then it must not count as one that nobody looks after.
      content.catch(() => {});
      return { path: pictureFile(figure.stem, format), content };
    });
    for (const { path, content } of drawn) yield { path, content: await content };
    drawn = next;
  }
  for (const { path, content } of drawn) yield { path, content: await content };
}
