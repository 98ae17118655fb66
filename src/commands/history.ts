import { join, relative } from 'node:path';
import { UserError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { LEAST_CHANGE, readHistory } from '../history/history.ts';
import { historyTable } from '../history/table.ts';
import { historyForJson, PAGE_FILE, writeHistory } from '../history/write.ts';

export interface HistoryOptions {
  readonly out?: string;
  readonly least?: string;
  readonly json?: boolean;
}

const DEFAULT_FOLDER = join('reports', 'history');

/** The trend of each cell over stored runs, with the points where it changed. Returns the exit code: it judges nothing. */
export async function runHistory(paths: readonly string[], options: HistoryOptions): Promise<number> {
  const history = await readHistory(paths, leastOf(options.least));
  const folder = options.out ?? DEFAULT_FOLDER;
  const files = await writeHistory(history, folder);
  if (options.json) {
    console.log(JSON.stringify({ folder, files, ...historyForJson(history) }, null, 2));
    return EXIT.ok;
  }
  console.log(historyTable(history));
  console.log(`${files.length} files; open ${relative('', join(folder, PAGE_FILE))}`);
  return EXIT.ok;
}

/** Percent on the command line, a share within. @throws UserError */
function leastOf(text: string | undefined): number {
  if (text === undefined) return LEAST_CHANGE;
  const percent = Number(text);
  if (text.trim() !== '' && percent >= 0 && percent < 100) return percent / 100;
  throw new UserError(`--least ${text}: a percentage from 0 to below 100`, {
    hint: 'it is the smallest change that is reported, for example --least 5',
  });
}
