import { loadavg } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import type { Availability } from '../engines/engine.ts';
import { ENGINES } from '../engines/index.ts';
import { UserError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { cacheRoot } from '../files/cache-root.ts';
import { cpuClocksMHz } from '../machine/clock.ts';
import { freeDiskMiB } from '../machine/disk.ts';
import { captureEnvironment } from '../machine/environment.ts';
import { watchOtherLoad } from '../machine/load.ts';
import { availableMemoryMiB } from '../machine/memory.ts';
import { findTools, type Tool } from '../machine/tools.ts';
import { cacheUsage } from '../models/prepare.ts';
import { findPythonEnvironment } from '../python/environment.ts';
import { findSystemPython } from '../python/interpreter.ts';
import type { Environment } from '../schema/manifest.ts';
import { DEVICES, type Device } from '../schema/vocabulary.ts';
import { bytesToMiB } from '../units.ts';
import { formatDoctor } from './doctor-text.ts';
import type { FidelityOptions } from './fidelity.ts';

const LOAD_WINDOW_MS = 500;

export interface EngineDiagnosis {
  readonly id: string;
  readonly title: string;
  readonly device: Device;
  /** Loads models; an engine that does not is for tests and makes no machine fit. */
  readonly loadsModels: boolean;
  readonly availability: Availability;
}

export interface Diagnosis {
  readonly machine: Environment;
  readonly availableMiB: number;
  /** Cores that other processes kept busy just now; null where the system cannot tell. */
  readonly otherLoadCores: number | null;
  readonly loadAverage: readonly number[];
  /** Highest of the CPUs; null where the system does not tell, so that throttling cannot be seen. */
  readonly cpuMHz: number | null;
  readonly python: { readonly system: string | null; readonly environment: string | null };
  readonly tools: readonly Tool[];
  readonly cache: { readonly root: string; readonly artefactsMiB: number; readonly freeMiB: number | null };
  readonly engines: readonly EngineDiagnosis[];
}

type DoctorOptions = FidelityOptions & { readonly fidelity?: boolean; readonly roofline?: boolean };

/**
 * `ortbench doctor`: what is here and what is not. Exit code 0 when at least one engine that loads models can run, 4 when
 * none can: a lack of some engines is no failure, for a sweep runs the others.
 */
export async function runDoctor(options: DoctorOptions): Promise<number> {
  if (options.fidelity) return await (await import('./fidelity.ts')).runFidelity(options);
  if (options.roofline) {
    const { roofline: _, threads, ...others } = options;
    refuseFidelityOptions(others);
    return await (await import('./roofline.ts')).runRoofline({ threads, json: options.json });
  }
  refuseFidelityOptions(options);
  const diagnosis = await diagnose();
  process.stdout.write(options.json ? `${JSON.stringify(diagnosis, null, 2)}\n` : formatDoctor(diagnosis));
  const fit = diagnosis.engines.some(
    ({ loadsModels, availability }) => loadsModels && availability.available,
  );
  return fit ? EXIT.ok : EXIT.infrastructure;
}

function refuseFidelityOptions({ fidelity: _, json: __, ...others }: DoctorOptions): void {
  const [name] = Object.keys(others);
  if (name !== undefined) throw new UserError(`--${name} goes with --fidelity only`);
}

async function diagnose(): Promise<Diagnosis> {
  // Before any probe starts a program of its own.
  const otherLoad = watchOtherLoad([process.pid]);
  await setTimeout(LOAD_WINDOW_MS);
  const otherLoadCores = otherLoad();
  const [machine, system, tools, cache, engines] = await Promise.all([
    captureEnvironment(),
    findSystemPython(),
    findTools(),
    diskUse(),
    probeAll(),
  ]);
  return {
    machine,
    availableMiB: availableMemoryMiB(),
    otherLoadCores,
    loadAverage: loadavg(),
    cpuMHz: cpuClocksMHz().sort((a, b) => b - a)[0] ?? null,
    python: { system: system?.version ?? null, environment: await environmentOrProblem() },
    tools,
    cache,
    engines,
  };
}

async function diskUse(): Promise<Diagnosis['cache']> {
  const root = cacheRoot();
  const { bytes } = await cacheUsage();
  return { root, artefactsMiB: bytesToMiB(bytes), freeMiB: await freeDiskMiB(root) };
}

/** The interpreter of the engines' environment; a wrong setting is shown by each engine that it concerns. */
async function environmentOrProblem(): Promise<string | null> {
  return findPythonEnvironment().catch(() => null);
}

/** Every engine on every device that it has a path for; one without models has only scripted devices. */
async function probeAll(): Promise<EngineDiagnosis[]> {
  const engines = await Promise.all(Object.values(ENGINES).map((load) => load()));
  const pairs = engines.flatMap((engine) =>
    DEVICES.filter(
      (device) =>
        engine.meta.precisions[device] !== undefined && (engine.meta.artefact !== 'none' || device === 'cpu'),
    ).map((device) => ({ engine, device })),
  );
  return Promise.all(
    pairs.map(async ({ engine, device }) => ({
      id: engine.meta.id,
      title: engine.meta.title,
      device,
      loadsModels: engine.meta.artefact !== 'none',
      availability: await engine.probe(device, engine.options.parse({})),
    })),
  );
}
