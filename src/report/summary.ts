import { cellKey } from '../schema/cell.ts';
import { harnessUse } from '../stats/harness.ts';
import { collect } from './collect.ts';
import type { Report, ReportInput } from './model.ts';
import { flagBelowPeers } from './peers.ts';
import { publishedRows } from './published/compare.ts';
import { cellRows } from './rows.ts';
import { averageRows, speedupRows } from './speedups.ts';

/** Records → everything a report says, computed once; all renderers print from it. */
export function summarise({ manifest, records, interrupted, warnings = [] }: ReportInput): Report {
  const collected = collect(records);
  const rows = flagBelowPeers(manifest, cellRows(manifest, collected, interrupted));
  const speedups = speedupRows(manifest, rows);
  const known = new Set(manifest.cells.map(({ cell }) => cellKey(cell)));
  const strangers = [...collected.cells.keys()].filter((key) => !known.has(key));
  return {
    manifest,
    interrupted,
    warnings: [
      ...warnings,
      ...(strangers.length === 0
        ? []
        : [
            `${strangers.length} cells have records but are not in the manifest, the first is ${strangers[0]}`,
          ]),
    ],
    rows,
    speedups,
    averages: averageRows(speedups),
    published: publishedRows({ manifest, rows, speedups }),
    time: collected.time,
    harness: harnessUse(rows.flatMap(({ samples }) => samples.map(({ record }) => record))),
  };
}
