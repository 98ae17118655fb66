import { execa } from 'execa';
import { InfrastructureError } from '../../errors.ts';
import { type Roofline, type RooflineFigures, rooflineFiguresSchema } from '../../schema/roofline.ts';
import { NS_PER_SECOND } from '../../units.ts';
import { readOr } from '../cpu.ts';
import { watchOtherLoad } from '../load.ts';
import { availableMemoryMiB } from '../memory.ts';

/** A program, for example of the Python environment, that takes --threads and --largest-mib and prints figures. */
export interface MeasuringProgram {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Far beyond what it takes even on a busy machine. */
const TIME_LIMIT_MS = 180_000;
/** STREAM's rule: arrays at least four times as large as the last caches together. */
const TIMES_LAST_CACHE = 4;
const LEAST_MIB = 256;
const MOST_SHARE_OF_MEMORY = 1 / 8;

/** Runs the program. @throws InfrastructureError when it fails or prints something else. */
export async function measureRoofline(program: MeasuringProgram, threads: number): Promise<Roofline> {
  const started = process.hrtime.bigint();
  const measuredAt = new Date().toISOString();
  // Once the program has ended, its time is told with this process's own.
  const otherLoad = watchOtherLoad([process.pid]);
  const { exitCode, stdout, stderr, shortMessage } = await execa(
    program.file,
    [...program.args, `--threads=${threads}`, `--largest-mib=${largestWorkingSetMiB()}`],
    { env: program.env, extendEnv: false, stdin: 'ignore', reject: false, timeout: TIME_LIMIT_MS },
  );
  const otherLoadCores = otherLoad();
  const fail = (what: string, cause?: unknown) =>
    new InfrastructureError(`memory bandwidth and matrix rate could not be measured: ${what}`, {
      hint: 'ortbench doctor --roofline tries again',
      cause,
    });
  if (exitCode !== 0) throw fail(`${shortMessage}\n${stderr.split('\n').slice(-8).join('\n')}`);
  return {
    ...parse(stdout, fail),
    threads,
    measuredAt,
    seconds: Number(process.hrtime.bigint() - started) / NS_PER_SECOND,
    otherLoadCores,
  };
}

function parse(stdout: string, fail: (what: string, cause: unknown) => InfrastructureError): RooflineFigures {
  try {
    return rooflineFiguresSchema.parse(JSON.parse(stdout));
  } catch (error) {
    throw fail('what was printed are no figures', error);
  }
}

/** MiB; the last caches of the whole machine are counted once each. */
function largestWorkingSetMiB(): number {
  const wanted = Math.max(LEAST_MIB, TIMES_LAST_CACHE * lastCachesMiB());
  return Math.max(1, Math.floor(Math.min(wanted, availableMemoryMiB() * MOST_SHARE_OF_MEMORY)));
}

/** Linux's list of caches: the highest level, each instance once; 0 where the system does not tell. */
export function lastCachesMiB(
  read: (path: string) => string = (path) => readOr(path, ''),
  cpus = Number(/-(\d+)\s*$/.exec(readOr('/sys/devices/system/cpu/present', ''))?.[1] ?? 0) + 1,
): number {
  const instances = new Map<string, number>();
  let highest = 0;
  for (let cpu = 0; cpu < cpus; cpu++) {
    for (let index = 0; index < 6; index++) {
      const folder = `/sys/devices/system/cpu/cpu${cpu}/cache/index${index}`;
      const level = Number(read(`${folder}/level`));
      const size = /^(\d+)([KM])/.exec(read(`${folder}/size`));
      if (!level || size === null || level < highest) continue;
      if (level > highest) instances.clear();
      highest = level;
      const mib = Number(size[1]) / (size[2] === 'K' ? 1024 : 1);
      instances.set(read(`${folder}/shared_cpu_list`).trim(), mib);
    }
  }
  return [...instances.values()].reduce((sum, mib) => sum + mib, 0);
}
