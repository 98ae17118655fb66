import { AVERAGE_COLUMNS } from './averages.ts';
import { IMPORTED_COLUMNS } from './imported.ts';
import { SAMPLE_COLUMNS } from './samples.ts';
import { SPEEDUP_COLUMNS } from './speedups.ts';
import { SUMMARY_COLUMNS } from './summary.ts';

/** Every CSV file of a report with its columns, as the README lists them. */
export const CSV_COLUMNS = {
  'summary.csv': SUMMARY_COLUMNS,
  'speedups.csv': SPEEDUP_COLUMNS,
  'averages.csv': AVERAGE_COLUMNS,
  'samples.csv': SAMPLE_COLUMNS,
  'imported.csv': IMPORTED_COLUMNS,
} as const;
