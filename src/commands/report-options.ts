import { JSON_OUTPUT } from './options.ts';

/** The options of `ortbench report`, as cli.ts lists them. */
export const REPORT_OPTIONS = [
  ['--out <dir>', 'report folder (default: one under reports/ named as the results)'],
  ['--formats <names>', 'of html, png, svg, md, csv, apart by commas (default: all)'],
  ['--theme <name>', "light or dark (default: light pictures, a page that follows its reader's system)"],
  ['--title <text>', "title of page and headline instead of the sweep's"],
  JSON_OUTPUT,
] as const;
