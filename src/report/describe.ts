import type { Cell } from '../schema/cell.ts';
import type { Manifest } from '../schema/manifest.ts';
import type { Phase } from '../schema/vocabulary.ts';
import type { HarnessUse, TimeUse } from '../stats/harness.ts';
import { FEWEST_FOR_INTERVAL } from '../stats/hodges-lehmann.ts';
import {
  formatDuration,
  formatMiB,
  formatNumber,
  formatParameters,
  formatPercent,
  nsToSeconds,
} from '../units.ts';
import { groupBy } from './group-by.ts';
import type { CellRow, SpeedupRow } from './model.ts';

/** Wording that headline and charts share. */

export const PHASE_TITLE: Readonly<Record<Phase, string>> = {
  prefill: 'Prompt throughput',
  decode: 'Token generation throughput',
};

export function describePrompt({ length, spread }: Cell['promptLength']): string {
  return spread === 0 ? String(length) : `${length} (ragged, ${formatPercent(spread, 0)} spread)`;
}

/** "batch 4, prompt 256" */
export const describeShape = ({
  batchSize,
  promptLength,
}: Pick<Cell, 'batchSize' | 'promptLength'>): string =>
  `batch ${batchSize}, prompt ${describePrompt(promptLength)}`;

/** What a speedup is over; its precision only where that is not the engine's own. */
export const baselineTitle = ({ cell, baseline }: Pick<SpeedupRow, 'cell' | 'baseline'>): string =>
  baseline.precision === cell.precision ? baseline.title : `${baseline.title} ${baseline.precision}`;

/** Features that decide which kernels an engine takes; the whole list is in the manifest. */
const TELLING_FEATURES = [
  'avx2',
  'avx512f',
  'avx512_vnni',
  'avx_vnni',
  'amx_tile',
  'neon',
  'asimd',
  'sve',
  'i8mm',
];

export function describeHardware({ environment, threads }: Manifest): string {
  const { cpuModel, physicalCores, logicalCores, cpuFeatures, memoryMiB, os, arch, gpu, virtualised } =
    environment;
  const features = TELLING_FEATURES.filter((feature) => cpuFeatures.includes(feature));
  // Other tools' outputs do not tell all of it: what is not known is left out.
  const cores = [
    ...(physicalCores > 0 ? [plural(physicalCores, 'core')] : []),
    ...(logicalCores > 0 ? [plural(logicalCores, 'hardware thread')] : []),
  ].join(', ');
  const details = [cores, features.join(' ')].filter((part) => part !== '').join('; ');
  return [
    gpu,
    details === '' ? cpuModel : `${cpuModel} (${details})`,
    memoryMiB > 0 ? formatMiB(memoryMiB) : null,
    `${os} ${arch}${virtualised ? ', virtual machine' : ''}`.trim(),
    threads > 0 ? `${plural(threads, 'compute thread')} per engine` : null,
  ]
    .filter((part) => part !== null && part !== '')
    .join(', ');
}

/** "58.3M parameters, 6 layers, seeded random weights" */
export function describeModel(manifest: Manifest, name: string): string {
  const model = manifest.models.find((candidate) => candidate.name === name);
  if (!model) return 'not described in the manifest';
  if (model.parameters === 0) return model.origin;
  return `${formatParameters(model.parameters)} parameters, ${describeLayers(model)}, ${model.origin}`;
}

/** "32 layers", or "2 of 32 layers" of a model that was cut. */
export function describeLayers(model: Manifest['models'][number]): string {
  return `${countLayers(model)} ${(model.ofLayers ?? model.layers) === 1 ? 'layer' : 'layers'}`;
}

/** "32", or "2 of 32". */
export function countLayers({ layers, ofLayers }: Manifest['models'][number]): string {
  return ofLayers === undefined ? String(layers) : `${layers} of ${ofLayers}`;
}

/** "1 of 32 layers", or "1 of 18 or 32 layers" of models of several depths; null where none is cut. */
function describeCuts(models: Manifest['models']): string | null {
  const cut = models.filter(({ ofLayers }) => ofLayers !== undefined);
  const byKept = groupBy(cut, ({ layers }) => layers);
  const parts = [...byKept].map(([kept, group]) => {
    const depths = [...new Set(group.map(({ ofLayers }) => ofLayers!))].sort((a, b) => a - b);
    const last = depths.pop()!;
    return `${kept} of ${depths.length === 0 ? '' : `${depths.join(', ')} or `}${last}`;
  });
  return parts.length === 0 ? null : `${parts.join('; ')} layers`;
}

/** A title of a run, with how far its models are cut: no title leaves that out. */
export function titleWithCuts(title: string, models: Manifest['models']): string {
  const cuts = describeCuts(models);
  return cuts === null || title.includes(cuts) ? title : `${title}, ${cuts}`;
}

/** What a report is called on its page and in its Markdown. */
export const reportTitle = ({ title, models }: Pick<Manifest, 'title' | 'models'>): string =>
  titleWithCuts(title ?? 'Generative AI on this machine', models);

/** "ONNX Runtime: onnxruntime 1.31.0; llama.cpp: …", from what the sessions reported, each engine once. */
export function describeVersions(rows: readonly CellRow[]): string {
  const found = new Map<string, string>();
  for (const { engineTitle, session } of rows) {
    if (session === null) continue;
    const versions = Object.entries(session.versions).map(([library, version]) => `${library} ${version}`);
    found.set(engineTitle, versions.join(', '));
  }
  return [...found]
    .map(([title, versions]) => (versions === '' ? title : `${title}: ${versions}`))
    .join('; ');
}

/** "The harness used 0.03 % of a core while engines were timed, at most 0.4 %" */
export const describeHarness = ({ typicalCores, highestCores }: HarnessUse): string =>
  `The harness used ${formatPercent(typicalCores, 2)} of a core while engines were timed, at most ${formatPercent(highestCores, 2)}`;

/** "Outside of the engines: 9 s recording, 4 s reading clocks, …": what took longest; empty where nobody told. */
export function describeOverhead({ stages }: Pick<TimeUse, 'stages'>, most = 4): string {
  const outside = stages
    .map(({ stage, wallNs, engineNs }) => ({ stage, seconds: nsToSeconds(wallNs - engineNs) }))
    .filter(({ seconds }) => seconds >= 0.5)
    .sort((a, b) => b.seconds - a.seconds);
  if (outside.length === 0) return '';
  const listed = outside.slice(0, most).map(({ stage, seconds }) => `${formatDuration(seconds)} ${stage}`);
  return `Outside of the engines: ${listed.join(', ')}${outside.length > most ? ', …' : ''}`;
}
/** How speedups and averages come about, in words. */
export const describeMethod = (repetitions: number): string =>
  repetitions >= FEWEST_FOR_INTERVAL
    ? 'Speedups are exp of the Hodges–Lehmann estimate of log ratios of the same round, with exact signed-rank 95 % intervals in parentheses; averages are geometric means with t intervals from per-round means.'
    : 'Speedups are ratios of medians; with fewer than six rounds there is no 95 % interval.';

export function plural(count: number, singular: string): string {
  return `${formatNumber(count)} ${singular}${count === 1 ? '' : 's'}`;
}
