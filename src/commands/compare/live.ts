import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import type { LoadedSweep } from '../../config/load.ts';
import { writeFileAtomic } from '../../files/atomic.ts';
import type { Variant } from '../../gate/model.ts';
import type { Side } from '../../gate/pairs.ts';
import type { Report } from '../../report/model.ts';
import { summarise } from '../../report/summary.ts';
import { readResults } from '../../results/reader.ts';
import { roundOrder } from '../../runner/schedule.ts';
import type { Cell } from '../../schema/cell.ts';
import type { Rule } from '../../schema/sweep.ts';
import { runSweepProcess } from './child.ts';

/** One side of a live comparison. */
export interface LiveSide {
  readonly variant: Variant;
  readonly loaded: LoadedSweep;
  /** The ortbench that runs it. */
  readonly program: string;
}

export interface LiveInput {
  readonly baseline: LiveSide;
  readonly candidate: LiveSide;
  readonly dir: string;
  readonly parity: boolean;
  /** `--only` expressions, handed on. */
  readonly only: readonly string[];
}

export interface StageResult {
  readonly baseline: Side;
  readonly candidate: Side;
  /** Results folders that were written. */
  readonly folders: readonly string[];
}

/**
 * Measures pairs of both sides into results folders of their own below `input.dir`. Sides of one config are variants in
 * one sweep, whose rounds are the pairs. Sides of two configs, or of two ortbenches, are swept in turns, a process each.
 * @param cells only these; every cell of the config without.
 */
export async function measurePairs(
  input: LiveInput,
  stage: string,
  pairs: number,
  cells: readonly Cell[] | null,
): Promise<StageResult> {
  await mkdir(input.dir, { recursive: true });
  const { baseline, candidate } = input;
  const isOneSweep = baseline.loaded === candidate.loaded && baseline.program === candidate.program;
  return isOneSweep
    ? await inOneSweep(input, stage, pairs, cells)
    : await inTurns(input, stage, pairs, cells);
}

async function inOneSweep(
  input: LiveInput,
  stage: string,
  pairs: number,
  cells: readonly Cell[] | null,
): Promise<StageResult> {
  const { baseline, candidate } = input;
  const variants = [baseline.variant, candidate.variant];
  const folder = join(input.dir, stage);
  // Parity was shown by the first stage that ran; the later ones measure the same artefacts minutes after it.
  const parity = input.parity && cells === null;
  await sweepInto(folder, candidate, { variants, pairs, cells, parity, only: input.only });
  const reports = [await reportOf(folder)];
  return {
    baseline: { variant: baseline.variant, reports },
    candidate: { variant: candidate.variant, reports },
    folders: [folder],
  };
}

async function inTurns(
  input: LiveInput,
  stage: string,
  pairs: number,
  cells: readonly Cell[] | null,
): Promise<StageResult> {
  const sides = { baseline: [] as Report[], candidate: [] as Report[] };
  const folders: string[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const names = ['baseline', 'candidate'] as const;
    for (const name of roundOrder(names, input.candidate.loaded.sweep.seed, stage, pair)) {
      const side = input[name];
      const folder = join(input.dir, stage, `${String(pair).padStart(3, '0')}-${name}`);
      const parity = input.parity && cells === null && pair === 0;
      await mkdir(join(input.dir, stage), { recursive: true });
      await sweepInto(folder, side, { variants: [side.variant], pairs: 1, cells, parity, only: input.only });
      sides[name].push(await reportOf(folder));
      folders.push(folder);
    }
  }
  return {
    baseline: { variant: input.baseline.variant, reports: sides.baseline },
    candidate: { variant: input.candidate.variant, reports: sides.candidate },
    folders,
  };
}

/** One side alone, for a comparison with stored results. */
export async function measureAlone(
  folder: string,
  side: LiveSide,
  rounds: number,
  parity: boolean,
  only: readonly string[],
): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  await sweepInto(folder, side, { variants: [side.variant], pairs: rounds, cells: null, parity, only });
}

export const reportOf = async (folder: string): Promise<Report> => summarise(await readResults(folder));

interface Sweeping {
  readonly variants: readonly Variant[];
  readonly pairs: number;
  readonly cells: readonly Cell[] | null;
  readonly parity: boolean;
  readonly only: readonly string[];
}

async function sweepInto(folder: string, side: LiveSide, sweeping: Sweeping): Promise<void> {
  const config = `${folder}.yaml`;
  await writeFileAtomic(config, stringify(configOf(side.loaded, sweeping)));
  const only = sweeping.only.flatMap((expression) => ['--only', expression]);
  const parity = sweeping.parity ? [] : ['--no-parity'];
  await runSweepProcess(side.program, [config, '--out', folder, ...parity, ...only]);
}

/** The sweep of one stage, complete in itself: models in place, and nothing but the two variants. */
function configOf(loaded: LoadedSweep, { variants, pairs, cells }: Sweeping) {
  const { $schema: _, ...sweep } = loaded.sweep;
  const isWanted = (name: string) => variants.some(({ engine }) => engine === null || engine === name);
  const precisions = variants.map(({ precision }) => precision);
  return {
    ...sweep,
    models: loaded.models.map(({ spec, folder }) =>
      spec.source.kind === 'folder' && folder !== null
        ? { ...spec, source: { ...spec.source, path: folder } }
        : spec,
    ),
    engines: sweep.engines.filter(({ name }) => isWanted(name)),
    precisions: precisions.includes(null)
      ? sweep.precisions
      : sweep.precisions.filter((precision) => precisions.includes(precision)),
    // Two builds of one library cannot share a process.
    isolation: sweep.isolation ?? 'process',
    measureMemory: false,
    repetitions: pairs,
    baselines: [],
    include:
      cells === null ? withoutAbsent(sweep.include, isWanted) : cells.map((cell) => ruleOf(cell, variants)),
    exclude: withoutAbsent(sweep.exclude, isWanted),
  };
}

/** A rule may not name an engine that the sweep no longer has. */
function withoutAbsent(rules: readonly Rule[], isWanted: (name: string) => boolean): Rule[] {
  return rules.flatMap((rule) => {
    if (rule.engine === undefined) return [rule];
    const engine = rule.engine.filter(isWanted);
    return engine.length === 0 ? [] : [{ ...rule, engine }];
  });
}

/** Both sides of one cell: the same work, and the precision where they share it. */
function ruleOf(cell: Cell, variants: readonly Variant[]): Rule {
  const shared = variants.every(({ precision }) => precision === null);
  const everyEngine = variants.some(({ engine }) => engine === null);
  return {
    model: [cell.model],
    batchSize: [cell.batchSize],
    promptLength: [cell.promptLength.length],
    ...(shared ? { precision: [cell.precision] } : {}),
    ...(everyEngine ? { engine: [cell.engine] } : {}),
  };
}
