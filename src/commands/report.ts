import { relative } from 'node:path';
import { EXIT } from '../exit-codes.ts';
import { publishedTable } from '../report/published/terminal.ts';
import { summarise } from '../report/summary.ts';
import { writeReport } from '../report/write.ts';
import { readResults } from '../results/reader.ts';
import { reportFolder } from './folders.ts';

export interface ReportOptions {
  readonly out?: string;
  readonly json?: boolean;
}

/** Of a terminal that does not say how wide it is. */
const WIDTH = 120;

/** CSV and charts again from stored results alone; no engine need be installed. Returns the exit code. */
export async function runReport(resultsDir: string, options: ReportOptions): Promise<number> {
  const results = await readResults(resultsDir);
  for (const warning of results.warnings) console.error(`warning: ${warning}`);
  const reportDir = reportFolder(resultsDir, options.out);
  const { files } = await writeReport(results, reportDir);
  if (options.json) console.log(JSON.stringify({ results: resultsDir, report: reportDir, files }, null, 2));
  else {
    const published = publishedTable(summarise(results).published, process.stdout.columns ?? WIDTH);
    if (published !== '') console.log(published);
    console.log(`${files.length} files in ${relative('', reportDir) || '.'}`);
  }
  return EXIT.ok;
}
