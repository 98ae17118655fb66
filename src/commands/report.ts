import { relative } from 'node:path';
import { UserError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { THEMES } from '../report/charts/palette.ts';
import { publishedTable } from '../report/published/terminal.ts';
import { REPORT_FORMATS, writeReport } from '../report/write.ts';
import { type Results, readResults } from '../results/reader.ts';
import { reportFolder } from './folders.ts';

export interface ReportOptions {
  readonly out?: string;
  readonly machine?: readonly string[];
  readonly theme?: string;
  readonly formats?: string;
  readonly title?: string;
  readonly history?: readonly string[];
  readonly json?: boolean;
}

/** Of a terminal that does not say how wide it is. */
const WIDTH = 120;

/**
 * Page, charts and CSV again from stored results alone; no engine need be installed. Several runs become one report, which
 * keeps their machines apart. Returns the exit code.
 */
export async function runReport(folders: readonly string[], options: ReportOptions): Promise<number> {
  const theme = options.theme === undefined ? undefined : oneOf(options.theme, THEMES, '--theme');
  const formats = options.formats
    ?.split(',')
    .map((format) => oneOf(format.trim(), REPORT_FORMATS, '--formats'));
  const results: Results[] = [];
  for (const folder of folders) {
    const read = await readResults(folder);
    const where = folders.length > 1 ? `${folder}: ` : '';
    for (const warning of read.warnings) console.error(`warning: ${where}${warning}`);
    results.push(read);
  }
  const reportDir = reportFolder(folders, options.out);
  const { files, report } = await writeReport(results, reportDir, {
    machines: options.machine ?? [],
    theme,
    title: options.title,
    history: options.history && (await historyOf(options.history)),
    ...(formats === undefined ? {} : { formats }),
  });
  if (options.json) {
    console.log(JSON.stringify({ results: folders, report: reportDir, files }, null, 2));
    return EXIT.ok;
  }
  const table = publishedTable(report.published, process.stdout.columns ?? WIDTH);
  if (table !== '') console.log(table);
  console.log(`${files.length} files in ${relative('', reportDir) || '.'}`);
  return EXIT.ok;
}

async function historyOf(folders: readonly string[]): Promise<string> {
  const { readHistory } = await import('../history/history.ts');
  const { historySection } = await import('../history/section.ts');
  return historySection(await readHistory(folders));
}

function oneOf<const T extends string>(given: string, known: readonly T[], option: string): T {
  const found = known.find((name) => name === given);
  if (found !== undefined) return found;
  throw new UserError(`${option}: there is no "${given}"`, { hint: `one of ${known.join(', ')}` });
}
