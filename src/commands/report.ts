import { relative } from 'node:path';
import { UserError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { THEMES } from '../report/charts/palette.ts';
import { REPORT_FORMATS, writeReport } from '../report/write.ts';
import { readResults } from '../results/reader.ts';
import { reportFolder } from './folders.ts';

export interface ReportOptions {
  readonly out?: string;
  readonly theme?: string;
  readonly formats?: string;
  readonly title?: string;
  readonly json?: boolean;
}

/** Page, charts and CSV again from stored results alone; no engine need be installed. Returns the exit code. */
export async function runReport(resultsDir: string, options: ReportOptions): Promise<number> {
  const theme = options.theme === undefined ? undefined : oneOf(options.theme, THEMES, '--theme');
  const formats = options.formats
    ?.split(',')
    .map((format) => oneOf(format.trim(), REPORT_FORMATS, '--formats'));
  const results = await readResults(resultsDir);
  for (const warning of results.warnings) console.error(`warning: ${warning}`);
  const reportDir = reportFolder(resultsDir, options.out);
  const { files } = await writeReport(results, reportDir, {
    theme,
    title: options.title,
    ...(formats && { formats }),
  });
  if (options.json) console.log(JSON.stringify({ results: resultsDir, report: reportDir, files }, null, 2));
  else console.log(`${files.length} files in ${relative('', reportDir) || '.'}`);
  return EXIT.ok;
}

function oneOf<const T extends string>(given: string, known: readonly T[], option: string): T {
  const found = known.find((name) => name === given);
  if (found !== undefined) return found;
  throw new UserError(`${option}: there is no "${given}"`, { hint: `one of ${known.join(', ')}` });
}
