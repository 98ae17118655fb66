import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import { overallVerdict } from '../../gate/judge.ts';
import type { Compared, GateReport, Variant } from '../../gate/model.ts';
import { pairCells, type Side } from '../../gate/pairs.ts';
import { parityUnchecked, weightWarnings } from '../../gate/parity.ts';
import { fingerprintDifferences, judgeStored } from '../../gate/stored.ts';
import { titleWithCuts } from '../../report/describe.ts';
import type { Report } from '../../report/model.ts';
import { resultsFolder } from '../folders.ts';
import { runPrefix, runStamp } from '../manifest.ts';
import { programOf } from './child.ts';
import { type CompareOptions, parsePairs, parseVariant, type Source } from './input.ts';
import { measureAlone, reportOf } from './live.ts';

/** Stored results, or a config that is swept now, against stored results: unpaired, and a verdict on one machine only. */
export async function compareStored(
  source: Source,
  baselineFolder: string,
  options: CompareOptions,
): Promise<Compared> {
  refuseUnheeded(source, options);
  const baselineReport = await reportOf(baselineFolder);
  const folder = 'folder' in source ? source.folder : await sweepNow(source.loaded, options);
  const candidateReport = await reportOf(folder);
  const baseline = sideOf('--baseline', options.baseline, baselineReport);
  const candidate = sideOf('--candidate', options.candidate, candidateReport);
  const differences = fingerprintDifferences(baselineReport.manifest, candidateReport.manifest);
  const { cells, leftOut } = pairCells(baseline, candidate);
  const rows = judgeStored(cells, baseline, candidate, differences.length === 0);
  const report: GateReport = {
    format: 1,
    title: titleWithCuts(
      candidateReport.manifest.title ?? candidateReport.manifest.runId,
      candidateReport.manifest.models,
    ),
    mode: 'stored',
    baseline: `${options.baseline ?? 'stored'} of ${baselineReport.manifest.runId}`,
    candidate: `${options.candidate ?? 'all'} of ${candidateReport.manifest.runId}`,
    verdict: overallVerdict(rows),
    pairs: null,
    pairsReason: null,
    smallestFindable: null,
    rows,
    leftOut,
    parityUnchecked: parityUnchecked(
      [baselineReport, candidateReport].every(({ manifest }) => manifest.parity),
      cells,
    ),
    warnings: [
      ...baselineReport.warnings,
      ...candidateReport.warnings,
      ...weightWarnings(cells),
      ...(differences.length === 0
        ? []
        : [
            `the baseline was measured under other conditions, so this can only warn: ${differences.join('; ')}`,
          ]),
    ],
    results: [baselineFolder, folder],
  };
  return { report, measured: new Map(cells.map((cell) => [cell.id, cell])) };
}

/** An option that changes nothing here would be believed to have done so. @throws UserError */
function refuseUnheeded(source: Source, options: CompareOptions): void {
  const { baselineOrtbench, noiseFrom, maxPairs, pairs, only } = options;
  const live: [string, boolean][] = [
    ['--baseline-ortbench', baselineOrtbench !== undefined],
    ['--noise-from', noiseFrom !== undefined],
    ['--max-pairs', maxPairs !== undefined],
    ['--pairs auto', pairs === 'auto'],
  ];
  refuse(live, 'live comparisons', 'stored results are what they are; a number of rounds is --pairs N');
  if ('loaded' in source) return;
  const measuring: [string, boolean][] = [
    ['--pairs', pairs !== undefined],
    ['--only', only !== undefined && only.length > 0],
  ];
  refuse(measuring, 'comparisons that measure', 'both sides are stored: all that they share is compared');
}

function refuse(options: readonly (readonly [string, boolean])[], purpose: string, why: string): void {
  const given = options.find(([, isGiven]) => isGiven);
  if (given !== undefined)
    throw new UserError(`${given[0]} is for ${purpose}`, { hint: `leave it out: ${why}` });
}

async function sweepNow(loaded: Extract<Source, { loaded: unknown }>['loaded'], options: CompareOptions) {
  const now = runStamp(new Date());
  const dir = resultsFolder(`compare-${runPrefix(loaded.file)}-${now}`, options.out);
  const folder = join(dir, 'candidate');
  const names = loaded.sweep.engines.map(({ name }) => name);
  const variant = parseVariant('--candidate', options.candidate, names, loaded.sweep.precisions);
  const side = { loaded, variant, program: await programOf(undefined) };
  const wanted = parsePairs(options);
  if (!('pairs' in wanted)) throw new Error('pairs that are chosen were refused before');
  await measureAlone(folder, side, wanted.pairs, options.parity ?? true, options.only ?? []);
  return folder;
}

function sideOf(option: string, text: string | undefined, report: Report): Side {
  const cells = report.manifest.cells.map(({ cell }) => cell);
  const distinct = (values: readonly string[]) => [...new Set(values)];
  const variant: Variant = parseVariant(
    option,
    text,
    distinct(cells.map(({ engine }) => engine)),
    distinct(cells.map(({ precision }) => precision)),
  );
  return { variant, reports: [report] };
}
