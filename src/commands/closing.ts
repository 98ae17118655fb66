import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { EXIT } from '../exit-codes.ts';
import { describeHarness, describeOverhead } from '../report/describe.ts';
import { readResults } from '../results/reader.ts';
import type { ResultsStore } from '../results/store.ts';
import type { RunSummary } from '../runner/run.ts';
import { type Cell, cellKey } from '../schema/cell.ts';
import type { Manifest } from '../schema/manifest.ts';
import type { Status } from '../schema/vocabulary.ts';
import { harnessUse } from '../stats/harness.ts';
import type { SummarisedRecord } from '../stats/run-summary.ts';
import { formatDuration, formatPercent, nsToSeconds } from '../units.ts';
import { reportFolder } from './folders.ts';

/** Cells that were never meant to run here are no failure of the sweep. */
const NO_FAILURE: ReadonlySet<Status> = new Set<Status>(['ok', 'skipped', 'unsupported']);

export interface CellOutcome {
  readonly cell: Cell;
  readonly status: Status;
  readonly reason: string | null;
}

/** Where each cell of the run stands: its stored outcome, the plan's verdict, or cut short. */
export function outcomesOf(manifest: Manifest, records: readonly SummarisedRecord[]): CellOutcome[] {
  const stored = new Map<string, CellOutcome>();
  for (const record of records) {
    if (record.kind === 'outcome') stored.set(cellKey(record.cell), record);
  }
  return manifest.cells.map(({ cell, status, reason }) => {
    if (status !== 'planned') return { cell, status, reason };
    const outcome = stored.get(cellKey(cell));
    return outcome ?? { cell, status: 'interrupted', reason: 'the run ended before this cell did' };
  });
}

/** Writes the report from what is on disk, prints the headline, and returns the exit code. */
export async function closeSweep(
  store: ResultsStore,
  summary: RunSummary,
  startedNs: bigint,
  json: boolean,
): Promise<number> {
  const results = await readResults(store.dir);
  const { writeReport } = await import('../report/write.ts');
  const reportDir = reportFolder(store.dir);
  const reportingNs = process.hrtime.bigint();
  const { files } = await writeReport(results, reportDir);
  const outcomes = outcomesOf(results.manifest, results.records);
  const failures = outcomes.filter(({ status }) => !NO_FAILURE.has(status));
  const anyOk = outcomes.some(({ status }) => status === 'ok');
  const code = failures.length > 0 || !anyOk ? EXIT.infrastructure : EXIT.ok;
  // Over the whole sweep, preparing models and writing this report included.
  const endedNs = process.hrtime.bigint();
  const wallNs = Number(endedNs - startedNs);
  const { engineNs, interrupted } = summary;
  const reportNs = Number(endedNs - reportingNs);
  const beforeNs = Math.max(0, wallNs - summary.wallNs - reportNs);
  const stages = [
    ...summary.stages,
    { stage: 'planning and preparing models', wallNs: beforeNs, engineNs: 0 },
    { stage: 'writing the report', wallNs: reportNs, engineNs: 0 },
  ];
  const engineShare = engineNs / wallNs;
  const harness = harnessUse(results.records.flatMap((record) => (record.kind === 'sample' ? [record] : [])));
  if (json) {
    const counts = Object.fromEntries(outcomes.map(({ status }) => [status, 0]));
    for (const { status } of outcomes) counts[status]!++;
    const cells = outcomes.map(({ cell, status, reason }) => ({ key: cellKey(cell), status, reason }));
    const answer = {
      results: store.dir,
      report: reportDir,
      files,
      counts,
      engineShare,
      harness,
      wallNs,
      engineNs,
      stages,
      interrupted,
      cells,
    };
    console.log(JSON.stringify(answer, null, 2));
    return code;
  }
  console.log(await readFile(join(reportDir, 'headline.md'), 'utf8'));
  if (failures.length > 0) console.log(`${failures.length} of ${outcomes.length} cells have no result:`);
  for (const { cell, status, reason } of failures.slice(0, 20)) {
    console.log(`  ${cellKey(cell)}  ${status}: ${reason?.split('\n')[0]}`);
  }
  console.log(
    `${formatDuration(nsToSeconds(wallNs))} in all, ${formatPercent(engineShare)} of it inside the engines ` +
      '(loading, compiling, warming up, measuring)',
  );
  const overhead = describeOverhead({ stages });
  if (overhead !== '') console.log(overhead);
  if (harness !== null) console.log(describeHarness(harness));
  console.log(`results: ${relative('', store.dir)}\nreport:  ${relative('', reportDir)}`);
  return code;
}
