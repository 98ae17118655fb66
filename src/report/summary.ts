import { cellKey } from '../schema/cell.ts';
import { harnessUse } from '../stats/harness.ts';
import { collect } from './collect.ts';
import { explainDepth } from './depth.ts';
import { compareImported, importedRows } from './imported.ts';
import { machineName } from './machines.ts';
import type { Report, ReportInput, ReportRun, RunPlace } from './model.ts';
import { flagBelowPeers } from './peers.ts';
import { publishedRows } from './published/compare.ts';
import { cellRows } from './rows.ts';
import { averageRows, speedupRows } from './speedups.ts';

/** Records → everything a report says, computed once; all renderers print from it. */
export function summarise(
  { manifest, records, interrupted, warnings = [] }: ReportInput,
  place: RunPlace = { machine: machineName(manifest.environment), run: null, label: null },
): Report {
  const collected = collect(records);
  const run: ReportRun = { ...place, manifest, interrupted, time: collected.time };
  const own = flagBelowPeers(manifest, cellRows(run, collected));
  const rows = [...own, ...importedRows(records, manifest, run)];
  const speedups = speedupRows(manifest, rows);
  const known = new Set(manifest.cells.map(({ cell }) => cellKey(cell)));
  const strangers = [...collected.cells.keys()].filter((key) => !known.has(key));
  return {
    manifest,
    runs: [run],
    unlike: [],
    imported: compareImported(rows),
    interrupted,
    warnings: [
      ...warnings,
      ...explainDepth(manifest, own),
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
