import { setTimeout as sleep } from 'node:timers/promises';
import pc from 'picocolors';
import { pythonRunnerCommand } from '../engines/python/command.ts';
import { EngineError, InfrastructureError, UserError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { physicalCores } from '../machine/cpu.ts';
import { machineIdentity } from '../machine/fingerprint.ts';
import { watchOtherLoad } from '../machine/load.ts';
import { measureRoofline } from '../machine/roofline/measure.ts';
import { bestOf, isDisturbed, profilePath, readProfile, writeProfile } from '../machine/roofline/profile.ts';
import { ELEMENT_TYPES, type Roofline } from '../schema/roofline.ts';
import { formatBytes, formatNumber, formatSignificant } from '../units.ts';

/** Measures, and keeps it for later sweeps. @throws EngineError, InfrastructureError */
async function measureAndKeep(threads: number, earlier: Roofline | null): Promise<Roofline> {
  const program = await pythonRunnerCommand('ortbench_runners.roofline', []);
  const measured = await measureRoofline(program, threads);
  const roofline = earlier === null ? measured : bestOf(measured, earlier);
  await writeProfile(machineIdentity(), roofline);
  return roofline;
}

/** Looked at before, so that a machine that does other work is not kept from it for nothing. */
const LOAD_WINDOW_MS = 300;

/**
 * The machine's roofline for a sweep: the stored one, or measured now where that is missing or stale. Null where there is
 * none to be had, for a machine that does other work is not as fast as it can be; the line says so, and the sweep goes on
 * without utilisations.
 */
export async function rooflineFor(threads: number, onLine: (line: string) => void): Promise<Roofline | null> {
  const known = await readProfile(machineIdentity(), threads, new Date());
  if ('roofline' in known) return known.roofline;
  const otherLoad = watchOtherLoad([process.pid]);
  await sleep(LOAD_WINDOW_MS);
  const now = otherLoad();
  if (isDisturbed({ otherLoadCores: now })) {
    onLine(
      `warning: memory bandwidth is not known (${known.missing}), and cannot be measured while other processes use ${formatNumber(now!, 2)} cores: this run has no MBU and MFU`,
    );
    return null;
  }
  onLine(
    `measuring memory bandwidth and matrix rate with ${threads} threads (${known.missing}): some seconds, kept for later runs`,
  );
  try {
    const roofline = await measureAndKeep(threads, known.disturbed ?? null);
    if (!isDisturbed(roofline)) return roofline;
    onLine(`warning: ${disturbance(roofline)}: this run has no MBU and MFU`);
  } catch (error) {
    // A user's, too: an environment that is not where it was said to be is the lack of the engines that need it.
    const told =
      error instanceof EngineError || error instanceof InfrastructureError || error instanceof UserError;
    if (!told) throw error;
    onLine(`warning: ${error.message}: this run has no MBU and MFU`);
  }
  return null;
}

const disturbance = ({ otherLoadCores }: Roofline): string =>
  `other processes used ${formatNumber(otherLoadCores ?? 0, 2)} cores while memory bandwidth was measured`;

export interface RooflineOptions {
  readonly threads?: string | undefined;
  readonly json?: boolean | undefined;
}

/** `ortbench doctor --roofline`: measures anew, keeps it, prints it. */
export async function runRoofline({ threads, json }: RooflineOptions): Promise<number> {
  const count = threads === undefined ? physicalCores() : Number(threads);
  if (!Number.isInteger(count) || count < 1 || count > 4096)
    throw new UserError(`--threads ${threads} is no number of threads`, { hint: 'for example --threads 8' });
  const roofline = await measureAndKeep(count, null);
  const path = profilePath(machineIdentity(), count);
  process.stdout.write(
    json ? `${JSON.stringify({ path, ...roofline }, null, 2)}\n` : formatRoofline(roofline, path),
  );
  return EXIT.ok;
}

const GIGA = 1e9;

export function formatRoofline(roofline: Roofline, path: string): string {
  const { bandwidth, matrix, threads, seconds, versions } = roofline;
  const row = (name: string, value: string, by: string) =>
    `  ${name.padEnd(10)} ${value.padStart(9)}  ${pc.dim(by)}`;
  const lines = [
    pc.bold(`Memory bandwidth with ${threads} threads, by working set, GB/s`),
    ...bandwidth.map(({ workingSetBytes, bytesPerSecond, kernel }) =>
      row(formatBytes(workingSetBytes), formatSignificant(bytesPerSecond / GIGA), kernel),
    ),
    pc.bold('Matrix products, GFLOP/s (int8: GOP/s)'),
    ...ELEMENT_TYPES.map((element) => {
      const rate = matrix[element];
      return rate === null
        ? row(element, '–', 'no library has it here')
        : row(element, formatSignificant(rate.operationsPerSecond / GIGA), rate.kernel);
    }),
    `measured in ${formatNumber(seconds, 1)} s with ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}; kept in ${path}`,
    ...(isDisturbed(roofline)
      ? [pc.yellow(`${disturbance(roofline)}: the next sweep measures it again`)]
      : []),
  ];
  return `${lines.join('\n')}\n`;
}
