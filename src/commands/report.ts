import { relative } from 'node:path';
import { EXIT } from '../exit-codes.ts';
import { publishedTable } from '../report/published/terminal.ts';
import { summarise } from '../report/summary.ts';
import { writeReport } from '../report/write.ts';
import { type Results, readResults } from '../results/reader.ts';
import { reportFolder } from './folders.ts';

export interface ReportOptions {
  readonly out?: string;
  readonly machine?: readonly string[];
  readonly json?: boolean;
}

/** Of a terminal that does not say how wide it is. */
const WIDTH = 120;

/**
 * CSV and charts again from stored results alone; no engine need be installed. Several runs become one report, which keeps
 * their machines apart. Returns the exit code.
 */
export async function runReport(folders: readonly string[], options: ReportOptions): Promise<number> {
  const results: Results[] = [];
  for (const folder of folders) {
    const read = await readResults(folder);
    const where = folders.length > 1 ? `${folder}: ` : '';
    for (const warning of read.warnings) console.error(`warning: ${where}${warning}`);
    results.push(read);
  }
  const reportDir = reportFolder(folders, options.out);
  const { files } = await writeReport(results, reportDir, { machines: options.machine ?? [] });
  if (options.json) {
    console.log(JSON.stringify({ results: folders, report: reportDir, files }, null, 2));
  } else {
    const published = results.flatMap((input) => summarise(input).published);
    const table = publishedTable(published, process.stdout.columns ?? WIDTH);
    if (table !== '') console.log(table);
    console.log(`${files.length} files in ${relative('', reportDir) || '.'}`);
  }
  return EXIT.ok;
}
