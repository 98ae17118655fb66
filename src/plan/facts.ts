import type { LoadedSweep } from '../config/load.ts';
import type { Availability, Engine, EngineMeta } from '../engines/engine.ts';
import { ENGINES } from '../engines/index.ts';
import { optionsOf } from '../engines/options.ts';
import { physicalCores } from '../machine/cpu.ts';
import { findDevices } from '../machine/devices/find.ts';
import { availableMemoryMiB, type MemoryRoom, memoryMiB } from '../machine/memory.ts';
import type { Rule, Sweep } from '../schema/sweep.ts';
import type { PlanFacts } from './plan.ts';

/** The engines that a sweep names, by id. Loads their modules, which load no native library. */
export async function enginesOf(sweep: Sweep): Promise<Map<string, Engine>> {
  const ids = [...new Set(sweep.engines.map(({ engine }) => engine))];
  return new Map(await Promise.all(ids.map(async (id) => [id, await ENGINES[id]!()] as const)));
}

export function metasOf(engines: ReadonlyMap<string, Engine>): Map<string, EngineMeta> {
  return new Map([...engines].map(([id, { meta }]) => [id, meta]));
}

/** Asks each engine of a sweep, by its name there, whether it can run on the device here; may start programs. */
export async function probeEngines(
  engines: ReadonlyMap<string, Engine>,
  sweep: Sweep,
): Promise<Map<string, Availability>> {
  return new Map(
    await Promise.all(
      sweep.engines.map(async (choice) => {
        const engine = engines.get(choice.engine)!;
        return [choice.name, await engine.probe(sweep.device, optionsOf(engine, choice, sweep))] as const;
      }),
    ),
  );
}

/** Compute threads of every engine. */
export const threadsOf = ({ threads }: Pick<Sweep, 'threads'>): number => threads ?? physicalCores();

/** What the plan needs to know of this machine, now. */
export async function machineFacts(loaded: LoadedSweep, only: Rule | null): Promise<PlanFacts> {
  const { device } = loaded.sweep;
  const found = device === 'cpu' ? null : await findDevices(device);
  return {
    ...(found && 'devices' in found ? { device: found.devices[0]! } : {}),
    memoryMiB: memoryMiB(),
    availableMiB: availableMemoryMiB(),
    threads: threadsOf(loaded.sweep),
    only,
  };
}

/** What sessions may fill together: what is free in the host, and on the device. */
export function memoryRoom({ memoryMiB, availableMiB, device }: PlanFacts): MemoryRoom {
  return {
    hostMiB: Math.min(memoryMiB, availableMiB ?? memoryMiB),
    deviceMiB: device?.freeMiB ?? device?.memoryMiB ?? null,
  };
}
