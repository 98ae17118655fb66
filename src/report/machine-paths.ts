import type { RunRecord } from '../schema/record.ts';
import type { SummarisedRecord } from '../stats/run-summary.ts';
import type { ReportInput } from './model.ts';

/**
 * Absolute paths of POSIX with two names or more, and of Windows: not within words, URLs or relative paths, so that
 * "tokens/s" and "https://host/page/x" stay.
 */
const ABSOLUTE =
  /(?<![\w.:/~…-])\/(?:[^\s/:'"`,;()<>]+\/)+[^\s/:'"`,;()<>]*|\b[A-Za-z]:\\(?:[^\s\\/:'"`,;()<>]+\\)*[^\s\\/:'"`,;()<>]*/g;

/** "cannot read /home/ann/models/x.onnx" → "cannot read …/x.onnx": reports are published, folders are nobody's business. */
export const withoutMachinePaths = (text: string): string =>
  text.replace(ABSOLUTE, (path) => `…/${path.split(/[/\\]/).findLast((name) => name !== '') ?? ''}`);

/** Of every text in a tree of plain data. */
export function treeWithoutPaths<T>(value: T): T {
  if (typeof value === 'string') return withoutMachinePaths(value) as T;
  if (Array.isArray(value)) return value.map(treeWithoutPaths) as T;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, treeWithoutPaths(member)]),
  ) as T;
}

/** What is said of cells, sessions and the reader's warnings; names, and samples, which hold numbers, stay as they are. */
export function withoutPaths(input: ReportInput): ReportInput {
  const { manifest, records, warnings = [] } = input;
  return {
    ...input,
    warnings: warnings.map(withoutMachinePaths),
    manifest: {
      ...manifest,
      models: manifest.models.map((model) => ({ ...model, origin: withoutMachinePaths(model.origin) })),
      cells: manifest.cells.map((entry) => ({
        ...entry,
        reason: entry.reason === null ? null : withoutMachinePaths(entry.reason),
      })),
    },
    records: records.map(recordWithoutPaths),
  };
}

/** Of a record, as it is stored or as reports read it. */
export function recordWithoutPaths<T extends RunRecord | SummarisedRecord>(record: T): T {
  switch (record.kind) {
    case 'session':
      return {
        ...record,
        versions: treeWithoutPaths(record.versions),
        effective: treeWithoutPaths(record.effective),
      };
    case 'preparation':
      return { ...record, effective: treeWithoutPaths(record.effective) };
    case 'parity':
    case 'outcome':
      return { ...record, reason: treeWithoutPaths(record.reason) };
    default:
      return record;
  }
}
