import { type ChosenCell, enumerateCells } from '../config/cells.ts';
import type { LoadedSweep } from '../config/load.ts';
import { compileRules, type FirstMatch } from '../config/rules.ts';
import { contextLimit } from '../engines/context-limit.ts';
import type { Availability, EngineMeta } from '../engines/engine.ts';
import { givenOptions } from '../engines/options.ts';
import { supportOf } from '../engines/support.ts';
import type { DeviceFacts } from '../machine/devices/device.ts';
import type { Cell } from '../schema/cell.ts';
import type { ModelShape } from '../schema/model.ts';
import { BEYOND_CONTEXT, SKIP_REASONS } from '../schema/skip-reasons.ts';
import type { EngineChoice, Rule, Sweep } from '../schema/sweep.ts';
import type { Status } from '../schema/vocabulary.ts';
import { formatMiB } from '../units.ts';
import { type Candidate, cutToDisk, cutToTime, type DiskFacts, skipped, type Verdict } from './cuts.ts';
import { predictDeviceMemory } from './device-memory.ts';
import { predictMemory } from './memory.ts';

/** What the plan is told of this machine; it looks at nothing itself. */
export interface PlanFacts {
  /** Memory that this process may use at all (machine or control group), in MiB. */
  readonly memoryMiB: number;
  /** Memory free now, in MiB; null where the system cannot tell. */
  readonly availableMiB: number | null;
  /** Compute threads of every engine. */
  readonly threads: number;
  /** The device of the sweep; absent for the CPU and where none was found. */
  readonly device?: Pick<DeviceFacts, 'name' | 'memoryMiB' | 'freeMiB'>;
  /** Results of `probe`, by the engine's name in the sweep; engines that are absent are taken to be there. */
  readonly availability?: ReadonlyMap<string, Availability>;
  /** Models that cannot be had, by name, with the reason. */
  readonly missingModels?: ReadonlyMap<string, string>;
  /** Room for model files; null or absent where the system cannot tell, or nothing is to be prepared. */
  readonly disk?: DiskFacts | null;
  /** `--only`, see parseOnly. */
  readonly only?: Rule | null;
}

export type PlanStatus = 'planned' | Extract<Status, 'skipped' | 'unsupported' | 'unavailable'>;

export interface PlannedCell {
  readonly cell: Cell;
  readonly choice: EngineChoice;
  readonly status: PlanStatus;
  /** Why it will not run; null for planned cells. */
  readonly reason: string | null;
  /** Predicted peak of its session in the host's memory while it runs. */
  readonly hostMiB: number;
  /** The same in the device's memory; null on the CPU. */
  readonly deviceMiB: number | null;
  /** Estimated seconds, the session's own load and parity check in its first planned cell; 0 when it will not run. */
  readonly seconds: number;
}

export interface Plan {
  /** Every cell of the matrix, in the order in which they run. */
  readonly cells: readonly PlannedCell[];
}

/** A session fills at most this share of the memory; the rest is for the system. */
const MEMORY_SHARE = 0.95;

/** Sweep × what engines can do → ordered cells, each planned or with the reason why not. Pure. */
export function planSweep(
  loaded: LoadedSweep,
  metas: ReadonlyMap<string, EngineMeta>,
  facts: PlanFacts,
): Plan {
  const { sweep } = loaded;
  const shapes = new Map(loaded.models.map(({ spec, shape }) => [spec.name, shape]));
  const rules: Rules = {
    only: facts.only ? compileRules([facts.only]) : null,
    include: sweep.include.length > 0 ? compileRules(sweep.include) : null,
    exclude: compileRules(sweep.exclude),
    excludeAt: loaded.excludeAt,
  };
  const cells = [...enumerateCells(sweep, [...shapes.keys()])].map((chosen): Candidate => {
    const { cell, choice } = chosen;
    const meta = metaOf(metas, choice);
    const shape = shapes.get(cell.model)!;
    const onDevice = cell.device === 'cpu' ? null : predictDeviceMemory(cell, shape, meta);
    const hostMiB = onDevice?.hostMiB ?? predictMemory(cell, shape, meta).peakMiB;
    const deviceMiB = onDevice?.deviceMiB ?? null;
    const verdict =
      byRule(cell, rules) ??
      byCapability(chosen, meta, sweep) ??
      byContext(cell, shape) ??
      byWindow(cell, shape, meta) ??
      byAvailability(chosen, facts) ??
      byMemory(hostMiB, facts) ??
      (deviceMiB === null ? null : byDeviceMemory(deviceMiB, facts));
    return { cell, choice, meta, shape, hostMiB, deviceMiB, verdict };
  });
  const onDisk = facts.disk ? cutToDisk(cells, facts.disk) : cells;
  return { cells: cutToTime(onDisk, sweep, facts.threads) };
}

interface Rules {
  readonly only: FirstMatch | null;
  readonly include: FirstMatch | null;
  readonly exclude: FirstMatch;
  readonly excludeAt: readonly string[];
}

function byRule(cell: Cell, rules: Rules): Verdict | null {
  if (rules.only !== null && rules.only(cell) < 0) return skipped(SKIP_REASONS.notSelected);
  if (rules.include !== null && rules.include(cell) < 0) return skipped(SKIP_REASONS.notIncluded);
  const index = rules.exclude(cell);
  return index < 0 ? null : skipped(`${SKIP_REASONS.excluded} ${rules.excludeAt[index]}`);
}

function byCapability({ cell, choice }: ChosenCell, meta: EngineMeta, sweep: Sweep): Verdict | null {
  const support = supportOf(meta, cell.device, cell.precision, givenOptions(choice, sweep));
  if (support !== true) return { status: 'unsupported', reason: support };
  if (cell.promptLength.spread > 0 && !meta.ragged)
    return {
      status: 'unsupported',
      reason: `${meta.title} takes no batches of prompts that differ in length`,
    };
  return null;
}

function byContext(cell: Cell, shape: ModelShape): Verdict | null {
  const tokens = cell.promptLength.length + cell.generate;
  if (tokens <= shape.maxContextLength) return null;
  return skipped(
    `prompt ${cell.promptLength.length} + generate ${cell.generate} = ${tokens} tokens, ${BEYOND_CONTEXT} ${shape.maxContextLength}`,
  );
}

/** Within the window full attention is the same computation; beyond it the speed would be another model's. */
function byWindow(cell: Cell, shape: ModelShape, meta: EngineMeta): Verdict | null {
  const limit = contextLimit(meta, shape);
  const tokens = cell.promptLength.length + cell.generate;
  if (limit.reason === null || tokens <= limit.tokens) return null;
  return {
    status: 'unsupported',
    reason: `prompt ${cell.promptLength.length} + generate ${cell.generate} = ${tokens} tokens, beyond the model's sliding window of ${limit.tokens}: ${limit.reason}`,
  };
}

function byAvailability({ cell, choice }: ChosenCell, facts: PlanFacts): Verdict | null {
  const missingModel = facts.missingModels?.get(cell.model);
  if (missingModel !== undefined)
    return { status: 'unavailable', reason: `model ${cell.model}: ${missingModel}` };
  const engine = facts.availability?.get(choice.name);
  if (engine === undefined || engine.available) return null;
  return { status: 'unavailable', reason: `${engine.reason}; to mend: ${engine.mend}` };
}

function byMemory(memoryMiB: number, facts: PlanFacts): Verdict | null {
  const need = `would need about ${formatMiB(memoryMiB)} of memory`;
  if (memoryMiB > facts.memoryMiB * MEMORY_SHARE)
    return skipped(`${need}; the machine has ${formatMiB(facts.memoryMiB)}`);
  if (facts.availableMiB !== null && memoryMiB > facts.availableMiB)
    return skipped(`${need}; only ${formatMiB(facts.availableMiB)} is free now`);
  return null;
}

/** A driver's own memory is not to be had in full, either. */
function byDeviceMemory(deviceMiB: number, { device }: PlanFacts): Verdict | null {
  if (device === undefined) return null;
  const need = `would need about ${formatMiB(deviceMiB)} of the device's memory`;
  const { name, memoryMiB, freeMiB } = device;
  if (memoryMiB !== null && deviceMiB > memoryMiB * MEMORY_SHARE)
    return skipped(`${need}; ${name} has ${formatMiB(memoryMiB)}`);
  if (freeMiB !== null && deviceMiB > freeMiB)
    return skipped(`${need}; only ${formatMiB(freeMiB)} of ${name} is free now`);
  return null;
}

function metaOf(metas: ReadonlyMap<string, EngineMeta>, choice: EngineChoice): EngineMeta {
  const meta = metas.get(choice.engine);
  if (meta === undefined) throw new Error(`no meta was given for the engine ${choice.engine}`);
  return meta;
}
