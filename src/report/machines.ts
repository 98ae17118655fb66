import { UserError } from '../errors.ts';
import type { Environment } from '../schema/manifest.ts';
import { plural } from './describe.ts';

/** Facts that make a machine: two runs that agree in all of them were made on what looks like one machine. */
const HARDWARE = [
  'cpuModel',
  'physicalCores',
  'logicalCores',
  'cpuFeatures',
  'memoryMiB',
  'arch',
  'gpu',
  'virtualised',
] as const satisfies readonly (keyof Environment)[];

const hardwareKey = (environment: Environment): string =>
  JSON.stringify(HARDWARE.map((fact) => environment[fact]));

/** "NVIDIA H200", "AMD EPYC 9R14, 2 cores": short enough to stand under a chart. */
export function machineName({ gpu, cpuModel, physicalCores }: Environment): string {
  if (gpu !== null) return shorten(gpu.split(/[;,]/)[0]!);
  const name = shorten(cpuModel);
  return physicalCores > 0 ? `${name}, ${plural(physicalCores, 'core')}` : name;
}

const shorten = (name: string): string => {
  const short = name
    .replace(/\((?:R|TM|C)\)/gi, '')
    .replace(/\bCPU\b|\bProcessor\b|\bwith .*$|@.*$|\b\d+-Core\b/gi, '')
    .replace(/\s+/g, ' ')
    .trim();
  return short.length > 40 ? `${short.slice(0, 39)}…` : short || 'unknown machine';
};

/**
 * A name for the machine of each run: the user's, or one made of its hardware; machines that differ get different ones.
 * @throws UserError when one name is given to machines that differ
 */
export function nameMachines(environments: readonly Environment[], given: readonly string[]): string[] {
  if (given.length > environments.length) {
    throw new UserError(`${given.length} names of machines for ${plural(environments.length, 'run')}`, {
      hint: 'give --machine once for each results folder, in the same order',
    });
  }
  const keyOf = new Map<string, string>();
  return environments.map((environment, index) => {
    const key = hardwareKey(environment);
    const wanted = given[index];
    const base = wanted ?? machineName(environment);
    for (let copy = 1; ; copy++) {
      const name = copy === 1 ? base : `${base} (${copy})`;
      const known = keyOf.get(name);
      if (known === undefined || known === key) {
        keyOf.set(name, key);
        return name;
      }
      if (wanted !== undefined) {
        throw new UserError(`two machines that differ are both named ${JSON.stringify(wanted)}`, {
          hint: 'figures of different machines stay apart: give each its own --machine',
        });
      }
    }
  });
}
