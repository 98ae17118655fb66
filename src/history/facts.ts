import { createHash } from 'node:crypto';
import { describeHardware } from '../report/describe.ts';
import type { CellRow } from '../report/model.ts';
import type { Manifest } from '../schema/manifest.ts';
import type { Facts, Machine } from './model.ts';

/** "NVIDIA H200, 550.54; …" without the drivers' versions, which an update changes. */
const gpuModels = (gpu: string | null): string | null =>
  gpu
    ?.split(';')
    .map((one) => one.replace(/,[^,]*$/, '').trim())
    .join('; ') ?? null;

/** Hardware and compute threads. What an update may change (system, kernel, Node, driver) is a fact beside a change instead. */
export function machineOf(manifest: Manifest): Machine {
  const { environment, threads } = manifest;
  const { cpuModel, physicalCores, logicalCores, cpuFeatures, memoryMiB, arch, gpu, virtualised } =
    environment;
  const identity = [
    cpuModel,
    physicalCores,
    logicalCores,
    cpuFeatures,
    // Kernels differ in how many MiB they keep for themselves.
    Math.round(memoryMiB / 1024),
    arch,
    gpuModels(gpu),
    virtualised,
    threads,
  ];
  const id = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 8);
  return { id, title: describeHardware(manifest) };
}

const ENVIRONMENT = ['os', 'kernel', 'cpuGovernor', 'gpu', 'node', 'ortbench', 'ortbenchCommit'] as const;
const SETTINGS = ['warmup', 'minTimedSeconds', 'repetitions', 'isolation', 'seed'] as const;

/** What is true of a whole run. */
export function runFacts({ environment, config }: Manifest): Facts {
  const told: Readonly<Record<string, unknown>> = environment;
  const settings = typeof config === 'object' && config !== null ? (config as Record<string, unknown>) : {};
  return textOf({
    ...Object.fromEntries(ENVIRONMENT.map((name) => [name, told[name]])),
    ...Object.fromEntries(SETTINGS.map((name) => [`setting ${name}`, settings[name]])),
  });
}

/** What is true of one cell: its engine's versions and options, the model file, and what really ran. */
export function cellFacts(row: CellRow, manifest: Manifest): Facts {
  const choice = manifest.engines.find(({ name }) => name === row.cell.engine);
  const prefixed = (prefix: string, values: Readonly<Record<string, unknown>> = {}) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix} ${name}`, value]));
  return textOf({
    engine: choice?.engine,
    'model file': row.session?.artefact?.slice(0, 12),
    ...prefixed('version', row.session?.versions),
    ...prefixed('option', choice?.options),
    ...prefixed('effective', { ...row.session?.effective, ...row.preparation?.effective }),
  });
}

/** Without what is unknown. */
function textOf(values: Readonly<Record<string, unknown>>): Facts {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      value === undefined || value === null
        ? []
        : [[name, typeof value === 'string' ? value : JSON.stringify(value)]],
    ),
  );
}
